import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, isLoopback, readConfig } from './config.js';

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ name, message }) => `${name}: ${message}`);
    throw error;
  }
  return [];
}

describe('The configuration', () => {
  it('needs nothing to be said', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      dataDir: resolve('data'),
      eventsUrl: 'sqlite:',
      namespace: undefined,
      jobs: [],
      demo: false,
      auth: 'dev',
      slots: availableParallelism() * 8,
      drainMs: 10_000,
      readWaitMs: 2_000, queueLimit: 100_000, rateLimit: 1_000,
      logLevel: 'info',
    });
  });

  it.each([
    [{ SLUICE_HOST: '::1' }, { host: '::1', auth: 'dev' }],
    [{ SLUICE_PORT: '0' }, { port: 0 }],
    [{ SLUICE_PORT: 'tcp://10.0.0.7:3000' }, { port: 3000 }],
    [{ SLUICE_PORT_3000_TCP_ADDR: '10.0.0.7', SLUICE_SERVICE_HOST: '10.0.0.7' }, { host: '127.0.0.1' }],
    [{ SLUICE_JOBS: './a.js, ./b.js' }, { jobs: ['./a.js', './b.js'] }],
    [{ SLUICE_DEMO: 'on' }, { demo: true }],
    [{ SLUICE_DEMO: '1' }, { demo: true }],
    [{ SLUICE_DEMO: 'TRUE' }, { demo: true }],
    [{ SLUICE_DEMO: 'off' }, { demo: false }],
    [{ SLUICE_DEMO: '0' }, { demo: false }],
    [{ SLUICE_DEMO: 'false' }, { demo: false }],
    [{ SLUICE_DEMO: '' }, { demo: false }],
    [{ SLUICE_DRAIN: '1.5s', SLUICE_READ_WAIT: '250' }, { drainMs: 1_500, readWaitMs: 250 }],
    [{ SLUICE_NODE_ROLES: 'projector, scheduler,worker,api' }, { port: 3000 }],
    [{ SLUICE_URL: 'http://127.0.0.1:3000', SLUICE_TOKEN: 'x' }, { port: 3000 }],
    [{ SLUICE_NAMESPACE: 'acme' }, { namespace: 'acme' }],
    [{ OTHER_PORT: '1' }, { port: 3000 }],
  ])('reads %j', (env, expected) => {
    expect(readConfig(env)).toMatchObject(expected);
  });

  it.each([
    [{ SLUICE_PORT: '65536' }, /^SLUICE_PORT: .*whole number from 0 to 65535/],
    [{ SLUICE_PORT: '3e3' }, /^SLUICE_PORT: /],
    [{ SLUICE_SLOTS: '0' }, /^SLUICE_SLOTS: /],
    [{ SLUICE_DEMO: 'yes' }, /^SLUICE_DEMO: "yes" is no switch/],
    [{ SLUICE_DRAIN: 'soon' }, /^SLUICE_DRAIN: "soon" is no duration/],
    [{ SLUICE_DRAIN: '10 parsecs' }, /^SLUICE_DRAIN: /],
    [{ SLUICE_READ_WAIT: '-1s' }, /^SLUICE_READ_WAIT: /],
    [{ SLUICE_READ_WAIT: '30d' }, /^SLUICE_READ_WAIT: /],
    [{ SLUICE_LOG_LEVEL: 'loud' }, /^SLUICE_LOG_LEVEL: .*none of fatal/],
    [{ SLUICE_NAMESPACE: 'a-b' }, /^SLUICE_NAMESPACE: /],
    [{ SLUICE_AUTH: 'oidc' }, /^SLUICE_AUTH: .*not supported yet/],
    [{ SLUICE_AUTH: 'none' }, /^SLUICE_AUTH: .*use "dev"/],
    [{ SLUICE_HOST: '0.0.0.0' }, /^SLUICE_AUTH: there is no default .*Set SLUICE_HOST=127\.0\.0\.1/],
    [{ SLUICE_HOST: '0.0.0.0', SLUICE_AUTH: 'dev' }, /^SLUICE_AUTH: "dev" believes whoever asks/],
    [{ SLUICE_HOST: '127.0.0.1.evil.example' }, /^SLUICE_AUTH: /],
    [{ SLUICE_EVENTS_URL: 'kurrentdb://db:2113' }, /^SLUICE_EVENTS_URL: write it with "esdb:"/],
    [{ SLUICE_EVENTS_URL: 'http://db:2113' }, /^SLUICE_EVENTS_URL: .*EventStoreDB connection string/],
    [{ SLUICE_READ_URL: 'postgres://u:secret@db/x' }, /^SLUICE_READ_URL: PostgreSQL is not supported yet/],
    [{ SLUICE_READ_URL: 'mysql://u:secret@db/x' }, /^SLUICE_READ_URL: .*use "sqlite:"/],
    [{ SLUICE_EVENTS_URL: 'sqlite:/elsewhere' }, /^SLUICE_EVENTS_URL: .*SLUICE_DATA/],
    [{ SLUICE_NODE_ROLES: 'api,worker' }, /^SLUICE_NODE_ROLES: one node has all roles; add scheduler, projector/],
    [{ SLUICE_NODE_ROLES: 'api,cook' }, /^SLUICE_NODE_ROLES: "cook" is none of/],
    [{ SLUICE_SIGNING_KEY: './key.pem' }, /^SLUICE_SIGNING_KEY: signing exports is not supported yet/],
    [{ SLUICE_OIDC_ISSUER: 'http://id' }, /^SLUICE_OIDC_ISSUER: sign-in by OIDC is not supported yet/],
    [{ SLUICE_PROT: '1' }, /^SLUICE_PROT: .*did you mean SLUICE_PORT\?/],
    [{ SLUICE_DRIAN: '1s' }, /^SLUICE_DRIAN: .*did you mean SLUICE_DRAIN\?/],
    [{ SLUICE_COMPLETELY_DIFFERENT: '1' }, /^SLUICE_COMPLETELY_DIFFERENT: there is no such name\.$/],
  ])('refuses %j', (env, fault) => {
    const faults = faultsOf(env);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
    expect(faults[0]).not.toContain('secret');
  });

  it('tells all faults at once, one to a line', () => {
    const env = { SLUICE_PORT: 'x', SLUICE_DEMO: 'maybe', SLUICE_HOST: '10.0.0.1', SLUICE_PROT: '1' };
    expect(faultsOf(env)).toHaveLength(4);
    expect(() => readConfig(env)).toThrow(/^The configuration can not be used:\n {2}SLUICE_\w+: .*(\n {2}SLUICE_\w+: .*){3}$/);
  });

  it.each([['127.0.0.1', true], ['127.8.9.1', true], ['[::1]', true], ['::ffff:127.0.0.1', true], ['LOCALHOST', true], ['localhost.evil', false], ['10.0.0.1', false], ['::', false]])(
    'knows whether %s is loopback',
    (host, expected) => expect(isLoopback(host)).toBe(expected),
  );
});
