/** A diagram in its panel; what draws it is loaded when there is one to see. */
import { Suspense } from 'react';
import { lazily } from '../parts/lazily';
import { Loading } from '../parts/telling';
import type { Drawing } from './flow';

const Diagram = lazily(() => import('./diagram').then((room) => room.Diagram));

interface Props {
  readonly drawing: Drawing;
  readonly label: string;
  readonly height: number;
  readonly chosen?: string | undefined;
  readonly choose?: (id: string) => void;
  readonly focus?: string | undefined;
}

const nothing = (): void => undefined;

export function Drawn({ drawing, label, height, chosen, choose = nothing, focus }: Props) {
  return (
    <section className="panel" style={{ height, overflow: 'hidden' }} aria-label={label}>
      <Suspense fallback={<div style={{ padding: 14 }}><Loading /></div>}>
        <div className="flow" style={{ borderRadius: 8 }}><Diagram drawing={drawing} chosen={chosen} choose={choose} focus={focus} /></div>
      </Suspense>
    </section>
  );
}
