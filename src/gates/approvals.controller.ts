/** The doors of approvals: what waits for people, and what they decide. */
import { Body, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { Answers, Does } from '../http/answers.js';
import { isRefusal, problemOf, sayMutation } from '../http/accepted.js';
import { asked, storedText, uuidParam } from '../http/asking.js';
import { atLeastOnly, atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import type { AtLeastOnly } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { commandIdentity, originOf } from '../http/idempotency.js';
import { hasRole, Who } from '../http/identity.js';
import type { Caller } from '../http/identity.js';
import { Links } from '../http/links.js';
import { pageQuery } from '../http/paging.js';
import type { Page } from '../http/paging.js';
import { Problem } from '../http/problem.js';
import type { HttpRequest } from '../http/request.js';
import { NeedsCaller } from '../http/roles.guard.js';
import { parseId } from '../ids.js';
import type { ApprovalId, RunId } from '../ids.js';
import { ReadSide } from '../reading/read-side.js';
import { DecideGate } from '../runs/run.commands.js';
import type { GateDecision, GateOutcome } from '../runs/run.commands.js';
import { GetRun } from '../runs/run-detail.queries.js';
import { approvalAnswer, approvalListAnswer, approvalRow, decisionAnswer, GetApproval, ListApprovals, mayDecide } from './approval.queries.js';
import type { ApprovalHistoryRow, ApprovalRow } from './approval.queries.js';

const digest = z.string().max(128).nullable().default(null);
const approveBody = asked({ note: storedText(2_000).nullable().default(null), digest }).default({ note: null, digest: null });
const rejectBody = asked({ reason: storedText(2_000).refine((text) => text.trim() !== '', 'Say why.'), digest });
const listQuery = asked({
  state: z.enum(['pending', 'decided']).optional(),
  mine: z.enum(['true', 'false']).optional(),
  run: uuidParam.optional(),
  ...atLeastQuery.shape,
  ...pageQuery.shape,
});

export interface DecisionAnswer {
  /** Null while others have to approve too. */
  readonly outcome: GateOutcome | null;
  readonly given: number;
  readonly quorum: number;
  readonly position: string;
}

@Door('approvals')
@NeedsCaller()
export class ApprovalsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
    private readonly links: Links,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Viewers see all of them, others those that they may decide. */
  @Get()
  @Does('Lists gates that wait or were decided, with what their deciders are shown')
  @Answers(200, approvalListAnswer)
  async list(@Query({ schema: listQuery }) query: z.output<typeof listQuery>, @Who() caller: Caller): Promise<Page<ApprovalRow>> {
    const { state, mine, run, limit, cursor, atLeast } = query;
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const roles = mine === 'true' || !hasRole(caller, 'viewer') ? [...caller.roles] : undefined;
    return this.queries.execute(new ListApprovals({ state, run, roles }, { limit, cursor }));
  }

  @Get(':id')
  @Does('Tells of one gate, with everything that its deciders are shown')
  @Answers(200, approvalAnswer)
  async one(@Param('id') id: string, @Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly, @Who() caller: Caller): Promise<ApprovalRow> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const row = await this.find(id);
    if (!hasRole(caller, 'viewer') && !mayDecide(row, caller)) throw new Problem('forbidden', `Looking at this approval needs the role viewer, or one of ${row.allowedRoles.join(', ')}.`);
    return approvalRow(row);
  }

  @Post(':id/approve')
  @Does('Approves a gate')
  @HttpCode(200)
  @Answers(200, decisionAnswer)
  approve(@Param('id') id: string, @Body({ schema: approveBody }) body: z.output<typeof approveBody>, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<DecisionAnswer> {
    return this.decide(id, { verdict: { approve: true, note: body.note }, digest: body.digest }, { caller, request, response, body });
  }

  @Post(':id/reject')
  @Does('Rejects a gate, with a reason')
  @HttpCode(200)
  @Answers(200, decisionAnswer)
  reject(@Param('id') id: string, @Body({ schema: rejectBody }) body: z.output<typeof rejectBody>, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<DecisionAnswer> {
    return this.decide(id, { verdict: { approve: false, reason: body.reason }, digest: body.digest }, { caller, request, response, body });
  }

  private async decide(id: string, decision: Pick<GateDecision, 'verdict' | 'digest'>, asked: { caller: Caller; request: HttpRequest; response: unknown; body: Readonly<Record<string, string | null>> }): Promise<DecisionAnswer> {
    const { caller, request, response, body } = asked;
    const row = await this.find(id);
    const origin = originOf(request, caller, commandIdentity(request, caller, body));
    const runId = parseId<RunId>(row.runId);
    if (runId === undefined) throw new Error(`Approval ${id} belongs to ${row.runId}, which is no run.`);
    const answer = await this.commands.execute(new DecideGate(runId, { approvalId: row.id, stepId: row.stepId, ...decision }, origin));
    if (isRefusal(answer)) throw problemOf(answer, answer.rejected === 'forbidden' ? {} : { allowedActions: await this.actionsOn(runId, caller) });
    if (answer.gate === undefined) throw new Error(`Nothing was answered about gate ${row.stepId}.`);
    sayMutation(this.adapterHost, response, answer);
    return { ...answer.gate, position: answer.position };
  }

  /** An approval that was asked for a moment ago is waited for. @throws Problem not-found */
  private async find(text: string): Promise<ApprovalHistoryRow> {
    const id = parseId<ApprovalId>(text);
    const row = id && ((await this.queries.execute(new GetApproval(id))) ?? (await this.read.settled().then(() => this.queries.execute(new GetApproval(id)))));
    if (row === undefined) throw new Problem('not-found', `There is no approval ${text.slice(0, 100)}.`);
    return row;
  }

  private async actionsOn(runId: RunId, caller: Caller): Promise<readonly object[]> {
    await this.read.settled();
    const found = await this.queries.execute(new GetRun(runId, caller, this.links.base));
    return typeof found === 'object' ? found.allowedActions : [];
  }
}
