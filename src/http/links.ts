/** Where the doors are: every link that an answer holds begins here. */
export class Links {
  private readonly path: string;

  /** @param prefix what the application puts before all of its routes; asked late, because it may be set late */
  constructor(path: string, private readonly prefix: () => string = () => '') {
    this.path = joined(path);
  }

  /** '' when the doors stand at the root, like `/sluice` or `/api/sluice` in somebody's application. */
  get base(): string {
    return `${joined(this.prefix())}${this.path}`;
  }
}

function joined(path: string): string {
  return path.split('/').filter((part) => part !== '').map((part) => `/${part}`).join('');
}
