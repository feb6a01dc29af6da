/**
 * Removes the named query parameters from a URL and keeps every other byte. Meta's CDN changes some
 * parameters on every call, which would make equal media look different.
 */
export function withoutParameters(url: string, names: readonly string[]): string {
  const question = url.indexOf('?');
  if (question < 0) return url;
  const hash = url.indexOf('#', question);
  const end = hash < 0 ? url.length : hash;
  const kept = url
    .slice(question + 1, end)
    .split('&')
    .filter((parameter) => !names.includes(parameter.split('=', 1)[0] ?? ''));
  const query = kept.length === 0 ? '' : `?${kept.join('&')}`;
  return url.slice(0, question) + query + url.slice(end);
}
