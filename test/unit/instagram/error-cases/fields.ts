import { type ErrorCase, oauth, refused, skip } from './error-case.ts';

/** Rejected fields. */
export const fields: readonly ErrorCase[] = [
  {
    name: '9005',
    status: 400,
    query: { fields: 'id,copyright_check_information' },
    body: {
      error: {
        message: '(#9005) Video content was not found.',
        type: oauth,
        code: 9005,
        error_subcode: 1452042,
      },
    },
    becomes: skip('graph.field-refused', ['copyright_check_information']),
  },
  {
    name: '36104',
    status: 400,
    query: { fields: 'id,children{id,view_count}' },
    body: {
      error: {
        message:
          '(#36104) You do not have permission to access this field outside of the Business Discovery API.',
        type: oauth,
        code: 36104,
      },
    },
    becomes: skip('graph.field-refused', ['view_count']),
  },
  {
    name: '100 with an unknown field',
    status: 400,
    query: { fields: 'id,video_duration' },
    body: {
      error: {
        message: '(#100) Tried accessing nonexisting field (video_duration)',
        type: oauth,
        code: 100,
      },
    },
    becomes: skip('graph.field-refused', ['video_duration']),
  },
  {
    name: '100 with an unknown edge that is not a requested field',
    status: 400,
    query: { fields: 'id' },
    body: {
      error: {
        message: '(#100) Tried accessing nonexisting field (feed)',
        type: oauth,
        code: 100,
      },
    },
    becomes: refused,
  },
];
