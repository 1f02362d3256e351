// A lease for elections under virtual time: it does as it is told.
import type { LeaseLoss } from '../../../src/library/redis-lease.ts';

/** Free, and given to whoever asks. */
export class FakeLease {
  readonly project = 'p';
  readonly nodeId = 'a';
  isHeld = false;
  epoch = 0;
  renewals: number[] = [];
  calls: string[] = [];
  /** How many releases will fail. */
  failures = 0;
  answer: () => Promise<boolean> = () => Promise.resolve(true);
  #onLost: (loss: LeaseLoss) => void = () => undefined;

  acquire(): Promise<{ epoch: number; previous: null }> {
    this.epoch += 1;
    this.isHeld = true;
    this.calls.push('acquire');
    return Promise.resolve({ epoch: this.epoch, previous: null });
  }
  renew(): Promise<boolean> {
    this.renewals.push(performance.now());
    return this.answer();
  }
  release(): Promise<void> {
    this.isHeld = false;
    this.calls.push('release');
    if (this.failures === 0) return Promise.resolve();
    this.failures -= 1;
    return Promise.reject(new Error('it does not answer'));
  }
  close(): Promise<void> {
    this.calls.push('close');
    return Promise.resolve();
  }
  look(): Promise<{ held: boolean; leader: null; epoch: number; paused: boolean }> {
    return Promise.resolve({ held: false, leader: null, epoch: this.epoch, paused: false });
  }
  statistics(): Promise<never> {
    return Promise.reject(new Error('nobody asks for them'));
  }
  onLost(listener: (loss: LeaseLoss) => void): () => void {
    this.#onLost = listener;
    return () => undefined;
  }
  onChange(): () => void {
    return () => undefined;
  }
  lose(cause: string): void {
    this.isHeld = false;
    this.#onLost({ epoch: this.epoch, cause });
  }
}
