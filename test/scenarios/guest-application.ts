/** Somebody's application: routes, pipes, guards, filters, CQRS and schedules of its own, and Sluice as a guest. */
import 'reflect-metadata';
import { type ArgumentsHost, Body, Catch, Controller, type ExceptionFilter, Get, Global, HttpException, Inject, Injectable, Module, Post, Scope } from '@nestjs/common';
import type { CanActivate, DynamicModule, PipeTransform } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, HttpAdapterHost, REQUEST } from '@nestjs/core';
import { CqrsModule, EventBus, EventsHandler, Saga, ofType, Command, CommandHandler } from '@nestjs/cqrs'; // eslint-disable-line no-restricted-imports -- the host's own
import type { ICommand, IEventHandler } from '@nestjs/cqrs'; // eslint-disable-line no-restricted-imports -- the host's own
import { Interval, ScheduleModule } from '@nestjs/schedule';
import { map, type Observable } from 'rxjs';
import { defineBatch, Job, SluiceModule, type Identify, type JobContext, type JobHandler, type SluiceModuleOptions } from '../../src/index.js';

export const TICK_MS = 40;

/** What happened in the host, for the tests to count. */
@Injectable()
export class Seen {
  readonly events: string[] = [];
  readonly commands: string[] = [];
  readonly guarded: string[] = [];
  readonly piped: string[] = [];
  ticks = 0;
  attempts: string[] = [];
}

export class Ordered {
  constructor(readonly what: string) {}
}
export class Pack extends Command<void> {
  constructor(readonly what: string) {
    super();
  }
}

@EventsHandler(Ordered)
class OrderedHandler implements IEventHandler<Ordered> {
  constructor(private readonly seen: Seen) {}
  handle({ what }: Ordered): void {
    this.seen.events.push(what);
  }
}

@CommandHandler(Pack)
class PackHandler {
  constructor(private readonly seen: Seen) {}
  async execute({ what }: Pack): Promise<void> {
    this.seen.commands.push(what);
  }
}

@Injectable()
class OrderSagas {
  @Saga()
  packed = (events: Observable<object>): Observable<ICommand> => events.pipe(ofType(Ordered), map(({ what }) => new Pack(what)));
}

@Controller('orders')
class OrdersController {
  constructor(private readonly events: EventBus) {}
  @Get()
  all(): string {
    return 'all orders';
  }
  @Post()
  order(@Body() body: { readonly what?: string }): { readonly ordered: string } {
    this.events.publish(new Ordered(body.what ?? 'nothing'));
    return { ordered: body.what ?? 'nothing' };
  }
}

@Injectable()
class Clockwork {
  constructor(private readonly seen: Seen) {}
  @Interval(TICK_MS)
  tick(): void {
    this.seen.ticks += 1;
  }
}

@Injectable()
class HostGuard implements CanActivate {
  constructor(private readonly seen: Seen) {}
  canActivate(): boolean {
    this.seen.guarded.push('guarded');
    return true;
  }
}

@Injectable()
class HostPipe implements PipeTransform {
  constructor(private readonly seen: Seen) {}
  transform(value: unknown): unknown {
    this.seen.piped.push('piped');
    return value;
  }
}

@Catch(HttpException)
class HostFilter implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}
  catch(thrown: HttpException, host: ArgumentsHost): void {
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), { host: 'says no' }, thrown.getStatus());
  }
}

@Injectable()
class Ledger {
  readonly rows = 3;
}

@Job({ name: 'count-ledger' })
@Injectable()
class CountLedger implements JobHandler {
  constructor(private readonly ledger: Ledger) {}
  async run(): Promise<{ rows: number }> {
    return { rows: this.ledger.rows };
  }
}

/** Made anew for each attempt, which it is given as the request. */
@Job({ name: 'remember-attempt', retry: { maxAttempts: 2, initialDelay: 1, backoff: 'fixed', jitter: false } })
@Injectable({ scope: Scope.REQUEST })
class RememberAttempt implements JobHandler {
  private calls = 0;
  constructor(
    @Inject(REQUEST) private readonly attempt: { readonly stepId: string; readonly attempt: number },
    private readonly seen: Seen,
  ) {}
  async run({ attempt }: JobContext): Promise<{ calls: number }> {
    this.calls += 1;
    this.seen.attempts.push(`${this.attempt.stepId} ${this.attempt.attempt} ${this.calls}`);
    if (attempt === 1) throw new Error('once more');
    return { calls: this.calls };
  }
}

export const counted = defineBatch({ name: 'counted', steps: [{ id: 'count', type: 'job', job: 'count-ledger' }, { id: 'remember', type: 'job', job: 'remember-attempt' }] });
export const released = defineBatch({ name: 'released', steps: [{ id: 'release', type: 'gate', allowedRoles: ['boss'] }] });

/** A feature with jobs and a batch of its own. */
@Module({ imports: [SluiceModule.forFeature({ batches: [counted] })], providers: [Ledger, CountLedger, RememberAttempt] })
class LedgerModule {}

@Global()
@Module({ providers: [Seen], exports: [Seen] })
class SeenModule {}

export const identify: Identify = (context) => {
  const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
  return headers['x-user'] === undefined ? undefined : { actor: headers['x-user'], roles: new Set(['operator', 'boss']) };
};

export const options = (more: Partial<SluiceModuleOptions> = {}): SluiceModuleOptions => ({ directory: ':memory:', batches: [released], identify, drainMs: 1_000, ...more });

@Module({})
export class HostModule {
  /** The host with this guest; without one it is what the host is by itself. */
  static with(...guests: DynamicModule[]): DynamicModule {
    return {
      module: HostModule,
      imports: [SeenModule, CqrsModule.forRoot(), ScheduleModule.forRoot(), ...guests, ...(guests.length > 0 ? [LedgerModule] : [])],
      controllers: [OrdersController],
      providers: [
        OrderedHandler, PackHandler, OrderSagas, Clockwork,
        { provide: APP_GUARD, useClass: HostGuard }, { provide: APP_PIPE, useClass: HostPipe }, { provide: APP_FILTER, useClass: HostFilter },
      ],
    };
  }
}
