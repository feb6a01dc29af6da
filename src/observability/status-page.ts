import { readFileSync } from 'node:fs';

/** One file of the status page. */
export interface PageFile {
  readonly contentType: string;
  readonly body: string;
}

/** `web/` of the package, two levels above both `src/observability` and `dist/observability`. */
const folder = new URL('../../web/', import.meta.url);

const files = {
  '/': ['status.html', 'text/html; charset=utf-8'],
  '/status.css': ['status.css', 'text/css; charset=utf-8'],
  '/status.js': ['status.js', 'text/javascript; charset=utf-8'],
  '/elements.js': ['elements.js', 'text/javascript; charset=utf-8'],
  '/sections.js': ['sections.js', 'text/javascript; charset=utf-8'],
  '/accounts.js': ['accounts.js', 'text/javascript; charset=utf-8'],
  '/words.js': ['words.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const;

/** The files of the status page, by path. */
export function readStatusPage(): ReadonlyMap<string, PageFile> {
  return new Map(
    Object.entries(files).map(([path, [name, contentType]]) => [
      path,
      { contentType, body: readFileSync(new URL(name, folder), 'utf8') },
    ]),
  );
}

/** The page loads everything from this server; connections to other hosts are forbidden. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
