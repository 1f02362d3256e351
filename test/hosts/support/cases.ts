// What befalls three hosts and the server that keeps their lease.
import { heal, now } from './case.ts';
import type { Case } from './case.ts';

/** Those in which the store has no part. */
export const CASES_OF_HOSTS: readonly Case[] = [
  {
    name: "the primary's host is lost, and comes back",
    follows: 'another leads',
    begin: ({ site, primary }) => site.lose(primary),
    end: ({ site, primary }) => {
      const at = now();
      site.startAgain(primary);
      return at;
    },
  },
  {
    name: "the primary's supervisor is stopped, and goes on",
    follows: 'another leads',
    begin: ({ site, primary }) => {
      const pid = site.supervisorOf(primary);
      const at = now();
      process.kill(pid, 'SIGSTOP');
      return at;
    },
    end: ({ site, primary }) => {
      process.kill(site.supervisorOf(primary), 'SIGCONT');
      return now();
    },
  },
  {
    name: "the primary's host is frozen, and its workload is thawed first",
    follows: 'another leads',
    freezes: true,
    begin: ({ site, primary }) => site.freeze(primary),
    // The worst of all orders: its workload alone, until it has written; only then the rest.
    end: async ({ site, primary, run }) => {
      const pid = site.workloadOf(primary);
      if (pid === null) throw new Error('what was frozen is not there any more');
      process.kill(pid, 'SIGCONT');
      const late = `refused ${String(run.epoch)}`;
      await site.until('a late write', () => site.writes.includes(late));
      return site.thaw(primary);
    },
  },
  {
    name: "the primary's host is frozen, and thawed as a whole",
    follows: 'another leads',
    freezes: true,
    isMeasuredOnly: true,
    begin: ({ site, primary }) => site.freeze(primary),
    end: ({ site, primary }) => site.thaw(primary),
  },
];

export const CASES: readonly Case[] = [
  {
    name: 'the primary and the store hear nothing of each other',
    follows: 'another leads',
    begin: ({ site, primary }) => {
      const at = now();
      site.lan.part(primary.place, site.store);
      return at;
    },
    end: heal,
  },
  {
    name: 'the primary and the other nodes hear nothing of each other',
    follows: 'nothing',
    isNoticed: true,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.part(primary.place, place);
      return at;
    },
    end: heal,
  },
  {
    name: 'what the primary says to the other nodes is lost',
    follows: 'nothing',
    isNoticed: true,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.lose(primary.place, place);
      return at;
    },
    end: heal,
  },
  {
    name: 'what the other nodes say to the primary is lost',
    follows: 'nothing',
    isNoticed: true,
    isMeasuredOnly: true,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.lose(place, primary.place);
      return at;
    },
    end: heal,
  },
  {
    name: 'the other nodes and the store hear nothing of each other',
    follows: 'nothing',
    isMeasuredOnly: true,
    begin: ({ site, others }) => {
      const at = now();
      for (const { place } of others) site.lan.part(place, site.store);
      return at;
    },
    end: heal,
  },
  {
    name: 'the primary is alone',
    follows: 'another leads',
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.part(primary.place, place);
      site.lan.part(primary.place, site.store);
      return at;
    },
    end: heal,
  },
  {
    name: 'nobody hears the primary',
    follows: 'another leads',
    isMeasuredOnly: true,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of [...others, { place: site.store }]) {
        site.lan.lose(primary.place, place);
      }
      return at;
    },
    end: heal,
  },
  {
    name: 'the primary hears nobody',
    follows: 'another leads',
    isMeasuredOnly: true,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of [...others, { place: site.store }]) {
        site.lan.lose(place, primary.place);
      }
      return at;
    },
    end: heal,
  },
  {
    name: 'what the primary asks the store is lost',
    follows: 'another leads',
    begin: ({ site, primary }) => {
      const at = now();
      site.lan.lose(primary.place, site.store);
      return at;
    },
    end: heal,
  },
  {
    name: 'what the store answers the primary is lost',
    follows: 'another leads',
    begin: ({ site, primary }) => {
      const at = now();
      site.lan.lose(site.store, primary.place);
      return at;
    },
    end: heal,
  },
  ...CASES_OF_HOSTS,
  {
    // What it kept in memory is lost while the primary, which hears nothing of that, is active under it.
    name: "the store's host comes back at once, and the primary is cut off from it",
    follows: 'another leads',
    begin: async ({ site, primary }) => {
      site.lan.part(primary.place, site.store);
      const at = await site.loseStore();
      site.startStoreAgain();
      return at;
    },
    end: heal,
  },
  {
    name: "the store's host is lost, and comes back",
    follows: 'a pause',
    begin: ({ site }) => site.loseStore(),
    end: ({ site }) => {
      const at = now();
      site.startStoreAgain();
      return at;
    },
  },
];
