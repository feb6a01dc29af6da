import { type ErrorCase, oauth, skip } from './error-case.ts';

const unsupportedGet =
  "Unsupported get request. Object with ID '17895695668004550' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api";

/** Unavailable objects. */
export const objects: readonly ErrorCase[] = [
  {
    name: '100/2108006, by its subcode and not its title',
    status: 400,
    body: {
      error: {
        message: 'Invalid parameter',
        type: oauth,
        code: 100,
        error_data: { blame_field_specs: [['']] },
        error_subcode: 2108006,
        is_transient: false,
        error_user_title: 'Contenu multimédia publié avant la conversion',
        error_user_msg: 'Not enough viewers',
        fbtrace_id: 'AsEo4TGbJgj894OcT7XaCFL',
      },
    },
    becomes: skip('graph.media-before-conversion'),
  },
  ...(
    [
      [
        'on Instagram Login',
        "The media was posted before the most recent time that the user's account was converted to a business account from a personal account.",
      ],
      [
        'in Portuguese',
        'Os conteúdos multimédia foram publicados antes da hora mais recente em que a conta do utilizador foi convertida numa conta comercial a partir de uma conta pessoal.',
      ],
      ['with a message that names a metric', 'La metric reach is deprecated in v26.0'],
    ] as const
  ).map(([name, message]) => ({
    name: `100/2108006 ${name}`,
    login: 'instagram' as const,
    status: 400,
    query: { metric: 'reach' },
    body: { error: { message, type: 'IGApiException', code: 100, error_subcode: 2108006 } },
    becomes: skip('graph.media-before-conversion'),
  })),
  {
    name: '2108006 with another code, on a 500',
    status: 500,
    body: { error: { message: 'Invalid parameter', code: 1, error_subcode: 2108006 } },
    becomes: skip('graph.media-before-conversion'),
  },
  {
    name: '803',
    status: 404,
    body: {
      error: {
        message: '(#803) Some of the aliases you requested do not exist: 17895695668004550',
        type: oauth,
        code: 803,
      },
    },
    becomes: skip('graph.ambiguous', ['17895695668004550']),
  },
  {
    name: '12',
    status: 400,
    body: {
      error: {
        message: '(#12) singular statuses API is deprecated for versions v2.4 and higher',
        type: oauth,
        code: 12,
      },
    },
    becomes: skip('graph.ambiguous'),
  },
  {
    name: '110/2207013',
    status: 400,
    body: { error: { message: 'Invalid user id', code: 110, error_subcode: 2207013 } },
    becomes: skip('graph.user-not-public'),
  },
  {
    name: '110',
    status: 400,
    body: { error: { message: 'Invalid user id', code: 110 } },
    becomes: skip('graph.ambiguous'),
  },
  {
    name: '100/33',
    status: 400,
    body: {
      error: {
        message: unsupportedGet,
        type: 'GraphMethodException',
        code: 100,
        error_subcode: 33,
      },
    },
    becomes: skip('graph.ambiguous', ['17895695668004550']),
  },
  {
    name: '100/33 without its subcode',
    status: 400,
    body: { error: { message: unsupportedGet, type: 'GraphMethodException', code: 100 } },
    becomes: skip('graph.ambiguous', ['17895695668004550']),
  },
  {
    name: '24',
    status: 400,
    body: {
      error: {
        message: 'The requested resource does not exist',
        type: oauth,
        code: 24,
        error_subcode: 2207045,
        error_user_title: 'Media Not Found',
      },
    },
    becomes: skip('graph.gone'),
  },
  {
    name: '10 about viewers',
    status: 400,
    body: {
      error: {
        message: '(#10) Not enough viewers for the media to show insights',
        type: oauth,
        code: 10,
      },
    },
    becomes: skip('graph.not-enough-viewers'),
  },
  {
    name: '10 about viewers without its prefix, on Instagram Login',
    login: 'instagram',
    status: 400,
    body: {
      error: {
        message: 'Not enough viewers for the media to show insights',
        type: 'IGApiException',
        code: 10,
      },
    },
    becomes: skip('graph.not-enough-viewers'),
  },
  {
    name: '3006',
    status: 400,
    body: {
      error: {
        message: 'Not enough users',
        type: oauth,
        code: 3006,
        error_subcode: 2874010,
        is_transient: false,
        error_user_title: "Demographic data isn't available",
        error_user_msg:
          'You can learn about your audience once this metric has more than 100 people in each breakdown.',
        fbtrace_id: 'AOzyaoJlFD1_-WTd2n6-qBv',
      },
    },
    becomes: skip('graph.not-enough-users'),
  },
];
