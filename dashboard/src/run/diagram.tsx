/** The diagram: the pinned definition with live states. Loaded when it is looked at. */
import { Controls, Handle, Position, ReactFlow, ReactFlowProvider, useReactFlow, useStore } from '@xyflow/react';
import type { Edge, Node, NodeProps } from '@xyflow/react';
import { createContext, useContext, useEffect, useMemo, useRef } from 'react';
import { Icon } from '../parts/icon';
import type { IconName } from '../parts/icon';
import { STEP_LOOKS } from '../parts/status';
import type { Drawing, Placed } from './flow';

type FlowNode = Node<{ readonly placed: Placed }>;

const Chosen = createContext<{ readonly id: string | undefined; readonly choose: (id: string) => void }>({ id: undefined, choose: () => undefined });
const hidden = { opacity: 0, pointerEvents: 'none', width: 1, height: 1, minWidth: 1, minHeight: 1, border: 0 } as const;
const Ports = () => (
  <>
    <Handle type="target" position={Position.Top} style={hidden} isConnectable={false} />
    <Handle type="source" position={Position.Bottom} style={hidden} isConnectable={false} />
  </>
);

const TYPE_ICONS: Readonly<Record<string, IconName>> = { job: 'bolt', gate: 'userCheck', parallel: 'arrowsSplit2', decision: 'gitFork' };

function StepBox({ data: { placed } }: NodeProps<FlowNode>) {
  const { id, choose } = useContext(Chosen);
  const { step, off } = placed;
  if (step === undefined) return null;
  const look = step.status === undefined ? undefined : STEP_LOOKS[step.status];
  return (
    <>
      <Ports />
      <button type="button" className={`step ${step.type} nodrag nopan ${look === undefined ? '' : `tone-${look.tone}`} ${off ? 'off' : ''}`} aria-pressed={id === step.id} onClick={() => choose(step.id)}>
        <span className={look === undefined ? 'dim' : `tone-${look.tone}`} style={{ display: 'inline-flex' }}><Icon name={look?.icon ?? TYPE_ICONS[step.type] ?? 'bolt'} size={18} spin={look?.icon === 'loader'} /></span>
        <span className="grow">
          <span className="title ellipsis" style={{ display: 'block' }}>{step.title}</span>
          <span className="what ellipsis" style={{ display: 'block' }}>{step.type === 'gate' ? 'Gate · ' : ''}{step.what}{step.attempts > 1 ? ` · attempt ${step.attempts}` : ''}</span>
          <span className="visually-hidden">{step.type}{look !== undefined && `, ${look.label}`}</span>
        </span>
      </button>
    </>
  );
}

function GroupBox({ data: { placed } }: NodeProps<FlowNode>) {
  const { choose } = useContext(Chosen);
  const { step, off } = placed;
  if (step === undefined) return null;
  const look = step.status === undefined ? undefined : STEP_LOOKS[step.status];
  return (
    <>
      <Ports />
      <div className={`box ${off ? 'off' : ''}`}>
        <button type="button" className="caption nodrag nopan" onClick={() => choose(step.id)}>
          <Icon name={TYPE_ICONS[step.type] ?? 'bolt'} size={14} />
          <b className="ellipsis">{step.title}</b>
          <span className="ellipsis">{step.what}</span>
          {look !== undefined && <span className={`tone-${look.tone} nowrap`} style={{ marginLeft: 'auto' }}><Icon name={look.icon} size={12} spin={look.icon === 'loader'} /> {look.label}</span>}
        </button>
      </div>
    </>
  );
}

const BranchLabel = ({ data: { placed: { text, taken, off } } }: NodeProps<FlowNode>) => <div className={`branchlabel ellipsis ${taken === true ? 'taken' : ''} ${off ? 'off' : ''}`} title={text}>{taken === true ? `✓ ${text}` : text}</div>;
const End = () => (
  <>
    <Ports />
    <div className="end" />
  </>
);
const LaneBox = ({ data: { placed: { text } } }: NodeProps<FlowNode>) => (
  <div className="box" style={{ borderColor: 'var(--bar-undo)' }}>
    <div className="caption"><Icon name="arrowBackUp" size={14} /> <b>{text}</b></div>
  </div>
);

const NODE_TYPES = { step: StepBox, box: GroupBox, label: BranchLabel, end: End, lane: LaneBox };
const MANY = 120;

interface DiagramProps {
  readonly drawing: Drawing;
  readonly chosen: string | undefined;
  readonly choose: (id: string) => void;
  /** The step that is looked at first. */
  readonly focus: string | undefined;
}

export function Diagram(props: DiagramProps) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  );
}

function Flow({ drawing, chosen, choose, focus }: DiagramProps) {
  const nodes = useMemo(
    () => drawing.placed.map((placed): FlowNode => ({
      id: placed.id, type: placed.kind, position: { x: placed.x, y: placed.y }, width: placed.width, height: placed.height, data: { placed },
      // Known beforehand, so that what is not in sight is not drawn once only to be measured.
      measured: { width: placed.width, height: placed.height },
      handles: [{ type: 'target', position: Position.Top, x: placed.width / 2, y: 0, width: 1, height: 1 }, { type: 'source', position: Position.Bottom, x: placed.width / 2, y: placed.height, width: 1, height: 1 }],
      zIndex: placed.kind === 'box' || placed.kind === 'lane' ? 0 : 2, draggable: false, selectable: false, focusable: false,
    })),
    [drawing],
  );
  const edges = useMemo(
    () => drawing.wires.map(({ from, to, off }): Edge => ({ id: `${from}>${to}`, source: from, target: to, type: 'smoothstep', zIndex: 1, focusable: false, ...(off && { style: { strokeDasharray: '4 4', opacity: 0.6 } }) })),
    [drawing],
  );
  const context = useMemo(() => ({ id: chosen, choose }), [chosen, choose]);
  return (
    <Chosen.Provider value={context}>
      <ReactFlow
        nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} nodesDraggable={false} nodesConnectable={false} elementsSelectable={false} nodesFocusable={false} edgesFocusable={false} disableKeyboardA11y
        zoomOnScroll={false} preventScrolling={false} zoomOnDoubleClick={false} minZoom={0.05} maxZoom={1.5} onlyRenderVisibleElements={nodes.length > MANY} proOptions={{ hideAttribution: true }}
      >
        <Controls showInteractive={false} position="bottom-left" />
        <FirstLook drawing={drawing} focus={focus} />
      </ReactFlow>
    </Chosen.Provider>
  );
}

/** As large as can be read and fits; a diagram that does not fit is begun at the step that matters. */
function FirstLook({ drawing, focus }: Pick<DiagramProps, 'drawing' | 'focus'>) {
  const { setViewport } = useReactFlow();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const looked = useRef('');
  useEffect(() => {
    const shape = `${drawing.width} ${drawing.height} ${width}`;
    if (width === 0 || looked.current === shape) return;
    looked.current = shape;
    const margin = 20;
    const whole = Math.min((width - 2 * margin) / drawing.width, (height - 2 * margin) / drawing.height);
    const zoom = Math.min(1, Math.max(whole, Math.min(1, Math.max(0.55, (width - 2 * margin) / drawing.width))));
    const target = drawing.placed.find(({ id }) => id === focus);
    const fits = (size: number, room: number): boolean => size * zoom <= room - margin;
    const x = fits(drawing.width, width) || target === undefined ? Math.max(margin, (width - drawing.width * zoom) / 2) : width / 2 - (target.x + target.width / 2) * zoom;
    const y = fits(drawing.height, height) ? Math.min(margin, (height - drawing.height * zoom) / 2) : target === undefined ? margin : Math.min(margin, height / 2 - (target.y + target.height / 2) * zoom);
    void setViewport({ x, y, zoom });
  }, [drawing, focus, height, setViewport, width]);
  return null;
}
