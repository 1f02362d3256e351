// What the world has seen of a node's present term: each step of a promotion, with the epoch it was under.

export class Term {
  activatedEpoch = 0;
  readyEpoch = 0;
  /** Under which the promote command succeeded. */
  confirmedEpoch = 0;
  /** Whether the promotion was announced, and its end was not. */
  announced = false;

  /** A lease was granted. */
  begin(): void {
    this.activatedEpoch = 0;
    this.readyEpoch = 0;
    this.confirmedEpoch = 0;
    this.announced = false;
  }
}
