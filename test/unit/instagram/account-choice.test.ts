import { describe, expect, test } from '@jest/globals';
import {
  type AccountChoice,
  chooseAccounts,
  describeMissing,
} from '../../../src/instagram/account-choice.ts';

const one = { id: '1', pageId: null, username: null };
const two = { id: '2', pageId: '5', username: 'Two.Cities' };
const three = { id: '3', pageId: '6', username: 'three' };
const found = [one, two, three];

const others = { streams: ['users', 'media'], intervalsMs: {} };

const none = { accounts: [], accountsExclude: [], accountPolling: { byAccount: {}, others } };

function choose(choice: Partial<AccountChoice>) {
  return chooseAccounts(found, { ...none, ...choice });
}

describe('the choice of accounts', () => {
  test.each([
    { title: 'keeps all accounts when nothing is named', choice: {}, kept: found },
    {
      title: 'keeps the accounts that are named by id or by user name in any case',
      choice: { accounts: ['@two.cities', '1'] },
      kept: [one, two],
    },
    {
      title: 'drops the excluded accounts, by id or by user name',
      choice: { accountsExclude: ['@two.cities', '1'] },
      kept: [three],
    },
  ])('$title', ({ choice, kept }) => {
    expect(choose(choice)).toEqual({ accounts: kept, missing: [], warnings: [] });
  });

  test('reports the named accounts that are missing, with the nearest user name', () => {
    const { accounts, missing } = choose({ accounts: ['@two.citys', '4', '3'] });

    expect(accounts).toEqual([three]);
    expect(missing).toEqual(['@two.citys', '4']);
    expect(describeMissing(none, missing, found)).toEqual([
      "INSTAGRAM_ACCOUNTS names @two.citys, 4, which no token reaches: correct it, or give the token's user a role on the account; did you mean @two.cities for @two.citys?",
    ]);
  });

  test('excludes an account that is listed under its other name, and reports the conflict', () => {
    expect(choose({ accounts: ['2', '3'], accountsExclude: ['@two.cities'] })).toEqual({
      accounts: [three],
      missing: [],
      warnings: [
        'account 2 (Two.Cities): named by both INSTAGRAM_ACCOUNTS and INSTAGRAM_ACCOUNTS_EXCLUDE, and not polled: remove it from one of the two',
      ],
    });
  });

  test('gives each account its own streams and intervals, those of its id first', () => {
    const byId = { streams: ['users'], intervalsMs: {} };
    const byName = { streams: ['media'], intervalsMs: { media: 1000 } };
    const byAccount = { '3': byId, '@three': byName, '@two.cities': byName };
    const { accounts, warnings } = choose({ accountPolling: { byAccount, others } });

    expect(accounts.map(({ polling }) => polling)).toEqual([others, byName, byId]);
    expect(warnings).toEqual([]);
  });

  test('leaves a stream of public content to the lowest id of the accounts that have it', () => {
    const all = { streams: ['users', 'hashtag_media', 'discovered_users'], intervalsMs: {} };
    const without = { streams: ['users'], intervalsMs: {} };
    const ten = { id: '10', pageId: null, username: null };
    const choose_ = (byAccount: AccountChoice['accountPolling']['byAccount']) => {
      const accountPolling = { byAccount, others: all };
      const none = { accounts: [], accountsExclude: [], accountPolling };
      return chooseAccounts([ten, three, two], none).accounts.map(({ id, polling }) => [
        id,
        (polling ?? all).streams,
      ]);
    };

    expect(choose_({})).toEqual([
      ['10', ['users']],
      ['3', ['users']],
      ['2', all.streams],
    ]);
    // Each stream by itself.
    expect(choose_({ '2': without, '3': { ...all, streams: ['users', 'hashtag_media'] } })).toEqual(
      [
        ['10', ['users', 'discovered_users']],
        ['3', ['users', 'hashtag_media']],
        ['2', ['users']],
      ],
    );
  });

  test('reports settings and exclusions of accounts that no token reaches', () => {
    const byAccount = { '@thre': others, '9': others };
    const { warnings } = choose({
      accountsExclude: ['@nobody', '1'],
      accountPolling: { byAccount, others },
    });

    expect(warnings).toEqual([
      'INSTAGRAM_ACCOUNTS_EXCLUDE has no effect for @nobody: no token reaches such an account; correct or remove it',
      'INSTAGRAM_ACCOUNT_SETTINGS has no effect for 9, @thre: no such account is polled; correct or remove it; did you mean @three for @thre?',
    ]);
  });

  test('names the settings as the source that sets them calls them', () => {
    const settingNames = {
      accounts: '--instagram-accounts',
      accountsExclude: 'INSTAGRAM_ACCOUNTS_EXCLUDE',
      accountSettings: '"instagram.accountSettings" in the configuration file',
    };
    const { missing, warnings } = choose({
      accounts: ['2', '9'],
      accountsExclude: ['@two.cities'],
      accountPolling: { byAccount: { '9': others }, others },
      settingNames,
    });

    expect(warnings).toEqual([
      '"instagram.accountSettings" in the configuration file has no effect for 9: no such account is polled; correct or remove it',
      'account 2 (Two.Cities): named by both --instagram-accounts and INSTAGRAM_ACCOUNTS_EXCLUDE, and not polled: remove it from one of the two',
    ]);
    expect(describeMissing({ ...none, settingNames }, missing, found)).toEqual([
      expect.stringMatching(/^--instagram-accounts names 9, which no token reaches/),
    ]);
  });
});
