// Types of the two functions used: the package ships none.
declare module 'fs-native-extensions' {
  /** An open-file-description lock on the whole file; false: another description has it. */
  export function tryLock(fd: number): boolean;
  /** Frees the lock for every copy of the description. */
  export function unlock(fd: number): void;
}
