import { createDraw, drawText } from './draws.ts';

/** CDN links live for about four days. */
const LINK_LIFETIME_S = 4 * 86_400;

/**
 * Signs a CDN URL as Meta does: the parameters differ on every call, `oe` is the expiry in
 * hexadecimal seconds.
 */
export function signUrl(url: string, nonce: string, nowMs: number): string {
  const draw = createDraw(`${url}/${nonce}`);
  const host = new URL(url).hostname;
  const parameters = new URLSearchParams({
    stp: 'dst-jpg_e35_tt6',
    _nc_cat: String(100 + Math.floor(draw('cat') * 12)),
    ccb: '7-5',
    _nc_sid: '18de74',
    _nc_ohc: drawText(draw, 'ohc', 23),
    _nc_zt: '23',
    _nc_ht: host,
    _nc_gid: drawText(draw, 'gid', 22),
    _nc_rid: Math.floor(draw('rid') * 2 ** 40)
      .toString(16)
      .padStart(10, '0'),
    edm: 'AM6HXa8EAAAA',
    oh: `00_Af${drawText(draw, 'oh', 38)}`,
    oe: (Math.floor(nowMs / 1000) + LINK_LIFETIME_S).toString(16).toUpperCase(),
  });
  return `${url}?${parameters.toString()}`;
}
