import { describe, expect, test } from '@jest/globals';
import { users } from '../../../../src/instagram/streams/users.ts';
import { thrownBy } from '../../../support/frozen.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

describe('stream users', () => {
  test.each(['facebook', 'instagram'] as const)(
    'sends one request with %s login',
    async (login) => {
      expect(await requestsOf(users, { login })).toEqual([
        {
          path: '/17841400000000001',
          query: {
            fields:
              'id,ig_id,biography,followers_count,follows_count,media_count,name,profile_picture_url,username,website,has_profile_pic,is_published',
          },
        },
      ]);
    },
  );

  test('maps a recorded profile: ig_id as a string, the picture URL without ccb', () => {
    const node = {
      id: '17841400000000001',
      ig_id: 2500000001,
      biography: 'We make tables 📈',
      followers_count: 280,
      follows_count: 78,
      media_count: 160,
      name: 'First',
      profile_picture_url: 'https://scontent.xx.fbcdn.net/v/t51/p.jpg?_nc_cat=1&ccb=1-7&oe=6A24',
      username: 'first',
      website: 'http://www.example.com/',
      has_profile_pic: true,
      is_published: true,
    };

    expect(users.toRecord(node, origin)).toEqual(
      mappedTo({
        ...provenance,
        id: '17841400000000001',
        ig_id: '2500000001',
        biography: 'We make tables 📈',
        followers_count: 280,
        follows_count: 78,
        media_count: 160,
        name: 'First',
        profile_picture_url: 'https://scontent.xx.fbcdn.net/v/t51/p.jpg?_nc_cat=1&oe=6A24',
        username: 'first',
        website: 'http://www.example.com/',
        has_profile_pic: true,
        is_published: true,
      }),
    );
  });

  test("publishes the account's id, not the app-scoped id that Instagram Login answers", () => {
    const mapped = users.toRecord({ id: '26000000000000009', username: 'first' }, origin);

    expect(mapped).toMatchObject({ record: { id: '17841400000000001', username: 'first' } });
  });

  test('rejects a profile without an id', () => {
    expect(thrownBy(() => users.toRecord({ username: 'first' }, origin))).toMatchObject({
      code: 'mapping.invalid',
      path: 'id',
    });
  });

  test('maps a profile that has only the id', () => {
    expect(users.toRecord({ id: '17841400000000001' }, origin)).toEqual(
      mappedTo({
        ...provenance,
        id: '17841400000000001',
        ig_id: null,
        biography: null,
        followers_count: null,
        follows_count: null,
        media_count: null,
        name: null,
        profile_picture_url: null,
        username: null,
        website: null,
        has_profile_pic: null,
        is_published: null,
      }),
    );
  });
});
