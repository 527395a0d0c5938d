/** How the files of pages are sent: safe headers, kept as long as they may be, packed where the browser takes that. */
import { HttpStatus, StreamableFile } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { ENCODINGS } from './dashboard-files.js';
import type { DashboardFile } from './dashboard-files.js';
import { headerOf } from './request.js';
import type { HttpRequest } from './request.js';

/** On every answer of ours: it is what it says, nobody frames it, and shown as a page it could do nothing. */
export const GUARDED = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;
const SAFE = {
  ...GUARDED,
  // Styles are computed by the components; scripts come from files alone.
  'Content-Security-Policy': [
    "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'", "worker-src 'self'",
    "base-uri 'self'", "form-action 'none'", "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
} as const;
const A_YEAR_S = 31_536_000;

export function sendFile({ httpAdapter: adapter }: HttpAdapterHost, { type, etag, forEver, body, packed }: DashboardFile, { request, response }: { readonly request: HttpRequest; readonly response: unknown }): StreamableFile | undefined {
  const accepted = (headerOf(request, 'accept-encoding') ?? '').split(',').map((part) => part.trim().split(';', 1)[0]);
  const encoding = ENCODINGS.find((one) => packed[one] !== undefined && accepted.includes(one));
  const headers = {
    ...SAFE,
    'Cache-Control': forEver ? `public, max-age=${A_YEAR_S}, immutable` : 'no-cache',
    ETag: etag,
    Vary: 'Accept-Encoding',
    ...(encoding !== undefined && { 'Content-Encoding': encoding }),
  };
  for (const [name, value] of Object.entries(headers)) adapter.setHeader(response, name, value);
  if (headerOf(request, 'if-none-match') === etag) {
    adapter.status(response, HttpStatus.NOT_MODIFIED);
    return undefined;
  }
  const bytes = (encoding === undefined ? undefined : packed[encoding]) ?? body;
  return new StreamableFile(bytes, { type, length: bytes.length });
}
