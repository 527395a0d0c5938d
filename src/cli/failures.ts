/** Failures of the command line, named by how the command ends. */
import { z } from 'zod';

const faultSchema = z.looseObject({ path: z.string().catch(''), message: z.string().catch('is not valid') });
const actionSchema = z.looseObject({ action: z.string(), method: z.string().nullish(), href: z.string().nullish(), stepId: z.string().nullish() });

/** Why the server refused (RFC 9457), as far as it is told to a person. */
export const problemSchema = z.looseObject({
  type: z.string().catch('about:blank'),
  title: z.string().catch('The server refused'),
  status: z.number().nullish(),
  detail: z.string().nullish(),
  errors: z.array(faultSchema).nullish().catch(null),
  allowedActions: z.array(actionSchema).nullish().catch(null),
});
export type ProblemAnswer = z.infer<typeof problemSchema>;

/** The server understood and said no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    /** Cleaned, for people. */
    readonly problem: ProblemAnswer,
    /** As it was sent, for programs. */
    readonly raw: unknown,
    readonly retryAfterMs: number | undefined,
  ) {
    super(problem.detail ?? problem.title);
    this.name = 'Refused';
  }

  is(slug: string): boolean {
    return this.problem.type === `urn:sluice:${slug}`;
  }
}

/** Nothing, or nothing that can be understood, came back. The message says what to do. */
export class Unreachable extends Error {
  constructor(
    message: string,
    /** True if asking again later may help. */
    readonly transient: boolean,
  ) {
    super(message);
    this.name = 'Unreachable';
  }
}

/** The command was given wrongly: nothing was sent. */
export class Misused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Misused';
  }
}

/** What was asked did not come true; everything about it has been said. */
export class Unfulfilled extends Error {
  constructor() {
    super('What was asked did not come true.');
    this.name = 'Unfulfilled';
  }
}
