import { readFileSync } from 'node:fs';

/** `web/` of the package, two levels above both `src/observability` and `dist/observability`. */
const folder = new URL('../../web/', import.meta.url);

const styles = ['status.css', 'plots.css', 'control.css'];
const scripts = [
  'status.js',
  'elements.js',
  'sections.js',
  'accounts.js',
  'words.js',
  'history.js',
  'plots.js',
  'control.js',
  'pause.js',
  'requests.js',
  'targets.js',
];

const files: readonly (readonly [path: string, name: string, contentType: string])[] = [
  ['/', 'status.html', 'text/html; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
  ...styles.map((name) => [`/${name}`, name, 'text/css; charset=utf-8'] as const),
  ...scripts.map((name) => [`/${name}`, name, 'text/javascript; charset=utf-8'] as const),
];

export function readStatusPage() {
  return files.map(([path, name, contentType]) => {
    return { path, contentType, body: readFileSync(new URL(name, folder), 'utf8') };
  });
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
