/** JSON as the API answers it. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Node = Readonly<Record<string, Json>>;

/** A text; empty for anything else. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** An error that the API answered with. */
export class Refused extends Error {
  readonly code: number;
  readonly subcode: number | undefined;
  constructor(error: Node) {
    super(textOf(error['message']));
    this.code = Number(error['code']);
    this.subcode =
      error['error_subcode'] === undefined ? undefined : Number(error['error_subcode']);
  }
}

/** The API over HTTP. */
export interface Api {
  get(path: string, query: Readonly<Record<string, string>>): Promise<Node>;
  /** Every entry of a list, by its cursors until there is none. */
  list(path: string, query: Readonly<Record<string, string>>): Promise<readonly Node[]>;
}

/** Asks as the connector does: `GET`, version 23, the token in a header. */
export function openApi(baseUrl: string, token: string): Api {
  const get: Api['get'] = async (path, query) => {
    const url = `${baseUrl}/v23.0${path}?${new URLSearchParams(query).toString()}`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const body = (await response.json()) as Node;
    if (response.ok) return body;
    throw new Refused(body['error'] as Node);
  };
  return {
    get,
    async list(path, query) {
      const found: Node[] = [];
      let after: string | undefined;
      do {
        const page = await get(path, {
          ...query,
          limit: '100',
          ...(after === undefined ? {} : { after }),
        });
        found.push(...(page['data'] as readonly Node[]));
        const paging = page['paging'] as { cursors?: { after?: string } } | undefined;
        after = paging?.cursors?.after;
      } while (after !== undefined && after !== '');
      return found;
    },
  };
}
