/**
 * Mints the CommandBus handlers: they all do the same (ask the host), so none is written by hand.
 *
 * The casts say what minting costs: a class that is made at run time has no name of its own for the compiler.
 */
import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import type { Command, ICommandHandler } from '@nestjs/cqrs';
import type { ActorHost } from './actor-host.js';
import type { ActorCommand, Answer } from './actor-kind.js';
import { isRejected } from './actor.js';
import type { Rejected } from './actor.js';

export interface Minted<S, C extends ActorCommand, R extends object> {
  /** The token of the actor's host. */
  readonly host: symbol;
  readonly commands: readonly (abstract new (...args: never[]) => C & Command<R | Rejected>)[];
  /** What the caller is answered. */
  readonly answer: (command: C, answer: Answer<S>) => R;
}

/** One provider for each command, all over one host. */
export function commandHandlersFor<S, C extends ActorCommand, R extends object>({ host, commands, answer }: Minted<S, C, R>): Type<ICommandHandler>[] {
  return commands.map((command) => {
    class MintedHandler {
      constructor(private readonly actors: ActorHost<S, C>) {}

      async execute(said: unknown): Promise<R | Rejected> {
        const given = await this.actors.execute(said as C);
        return isRejected(given) ? given : answer(said as C, given);
      }
    }
    Object.defineProperty(MintedHandler, 'name', { value: `${command.name}Handler` });
    Reflect.defineMetadata('design:paramtypes', [Object], MintedHandler);
    Reflect.defineMetadata('self:paramtypes', [{ index: 0, param: host }], MintedHandler);
    CommandHandler(command as never)(MintedHandler);
    return MintedHandler;
  });
}
