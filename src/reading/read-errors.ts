/** Errors of the read side, named by what happens next. */

/** The read store can't be used at all and a person has to act; what to do stands in the message. */
export class ReadStoreUnusable extends Error {
  override readonly name = 'ReadStoreUnusable';
}

/** Another process has taken these rows over: this one stops writing them. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
  constructor(readonly projection: string) {
    super(`Another process writes the rows of ${projection} now: this one has stopped.`);
  }
}
