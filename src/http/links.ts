/** Where the doors are: every link that an answer holds begins here. */
export class Links {
  /** '' when the doors stand at the root, like `/sluice` in somebody's application. */
  readonly base: string;

  constructor(path: string) {
    const parts = path.split('/').filter((part) => part !== '');
    this.base = parts.length === 0 ? '' : `/${parts.join('/')}`;
  }
}
