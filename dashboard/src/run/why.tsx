/** Why it is not moving and who can change that; of a run that has ended, how it came to its end. */
import type { RunDetail } from '../api/shapes';
import { Icon } from '../parts/icon';
import type { IconName } from '../parts/icon';
import { Note } from '../parts/telling';
import { Ago, moment } from '../parts/time';
import { CancelStory } from './cancel-story';

const ICONS: Readonly<Record<string, IconName>> = { resume: 'playerPause', approval: 'userCheck', job: 'bolt', slot: 'hourglass', retry: 'refresh', engine: 'settings' };
const ENDED: Readonly<Record<string, string>> = { rejected: 'A gate was rejected', timeout: 'It took too long', 'unknown-job': 'It could not begin', validation: 'It could not begin' };
/** A run of a thousand branches waits for a thousand jobs: these are shown. */
const MOST = 8;

export function Why({ run, choose }: { readonly run: RunDetail; readonly choose: (stepId: string) => void }) {
  if (run.status === 'cancelling' || run.status === 'cancelled') return <div className="panel" style={{ padding: '12px 14px' }}><CancelStory runId={run.id} /></div>;
  if (run.endedAt !== null) return run.error === null ? null : <Note tone="bad" icon="circleX"><strong>{ENDED[run.error.kind] ?? 'It failed'}</strong><p>{run.error.message}</p></Note>;
  const stuck = run.waitingFor.every(({ what }) => what === 'approval' || what === 'resume');
  return (
    <section className={`note tone-${stuck ? 'wait' : 'run'}`} aria-labelledby="why" data-testid="why">
      <Icon name={stuck ? 'handStop' : 'loader'} size={18} spin={!stuck} />
      <div className="text grow">
        <h2 id="why">{stuck ? 'It does not move until somebody acts' : 'It is moving'}</h2>
        <ul style={{ listStyle: 'none', margin: '6px 0 0', padding: 0 }} className="stack">
          {run.waitingFor.slice(0, MOST).map(({ what, stepId, since, who, endsAt, text }) => (
            <li key={`${what} ${stepId ?? ''} ${text}`} className="row" style={{ alignItems: 'flex-start' }}>
              <span className="dim" style={{ display: 'inline-flex', marginTop: 2 }}><Icon name={ICONS[what] ?? 'clock'} /></span>
              <span className="grow">
                {stepId === undefined ? text : <button type="button" className="sorter" style={{ textAlign: 'left', color: 'var(--ink)', display: 'inline', textDecoration: 'underline', textUnderlineOffset: 2 }} onClick={() => choose(stepId)}>{text}</button>}
                <span className="dim tiny" style={{ display: 'block' }}>
                  since <Ago at={since} />
                  {endsAt !== undefined && <> · {what === 'retry' ? 'again' : 'until'} <span title={moment(endsAt)}><Ago at={endsAt} /></span></>}
                  {who.length > 0 && what !== 'job' && <> · who can: {who.includes('*') ? 'anybody who is signed in' : who.join(' or ')}</>}
                </span>
              </span>
            </li>
          ))}
        </ul>
        {run.waitingFor.length > MOST && <p className="dim small">and {run.waitingFor.length - MOST} more</p>}
      </div>
    </section>
  );
}
