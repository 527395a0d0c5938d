/** What stands in the log of a world, in short: the same for the same choices, though the names of nodes differ. */
import type { Streams } from '../../src/events/streams.js';
import type { World } from './world.js';

export function storyOf({ facts, lives, streams }: World): string {
  const nodes = new Map(lives.map((life) => [life.node, `life ${life.number}`]));
  return facts.map(({ stream, revision, type, data, metadata }) => `  ${String(metadata['at']).slice(11)} ${told(streams.parse(stream))} ${revision} ${type} ${JSON.stringify(data['stepId'] ?? '')} ${nodes.get(String(metadata['actor']).slice(5)) ?? String(metadata['actor'])}`).join('\n');
}

function told(parsed: ReturnType<Streams['parse']>): string {
  return parsed === undefined || parsed.category === 'audit' ? 'audit' : `${parsed.category} ${parsed.id.slice(-4)}`;
}
