// Types of the two functions used: the package ships none.
declare module 'fs-native-extensions' {
  /**
   * An open-file-description lock on the whole file; false: another description has it. A shared one is kept
   * out by an exclusive one only, and needs no right to write.
   */
  export function tryLock(fd: number, options?: { readonly shared: boolean }): boolean;
  /** An exclusive one on a part of the file, which need not be there. */
  export function tryLock(fd: number, offset: number, length: number): boolean;
  /** Frees the lock for every copy of the description. */
  export function unlock(fd: number): void;
}
