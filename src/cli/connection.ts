/** Where the server is, and who asks: options of the command line before the environment. */
import { Misused } from './failures.js';

export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly headers: Headers;
}

/** What every command takes. */
export interface GlobalOptions {
  readonly url?: string;
  readonly token?: string;
  readonly user?: string;
  readonly roles?: string;
  readonly json?: boolean;
}

export const DEFAULT_URL = 'http://127.0.0.1:3000';

/** @throws Misused */
export function connectionOf(options: GlobalOptions, env: Readonly<Record<string, string | undefined>>): Connection {
  const said = filled(options.url) ?? filled(env.SLUICE_URL) ?? DEFAULT_URL;
  const url = URL.canParse(said) ? new URL(said) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new Misused(`"${said}" is no URL of a server: write --url ${DEFAULT_URL}, or set SLUICE_URL so.`);
  }
  if (url.username !== '' || url.password !== '') throw new Misused('The URL of the server takes no user and password: use --token or SLUICE_TOKEN.');
  const headers = new Headers();
  const token = filled(options.token) ?? filled(env.SLUICE_TOKEN);
  if (token !== undefined) put(headers, 'authorization', `Bearer ${token}`, 'token');
  if (options.user !== undefined) put(headers, 'x-dev-user', options.user, 'user');
  if (options.roles !== undefined) put(headers, 'x-dev-roles', options.roles, 'roles');
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, headers };
}

function filled(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function put(headers: Headers, name: string, value: string, option: string): void {
  if (!/^[\x20-\x7e]*$/.test(value)) throw new Misused(`--${option} takes printable ASCII characters only.`);
  headers.set(name, value);
}
