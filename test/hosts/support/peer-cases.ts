// What befalls three hosts whose nodes agree among themselves: a partition leaves a primary on each side of it.
import { heal, now } from './case.ts';
import type { Case, Stage } from './case.ts';
import { CASES_OF_HOSTS } from './cases.ts';

export const PEER_CASES: readonly Case[] = [
  {
    name: 'the primary and both others hear nothing of each other',
    follows: 'each side leads',
    sides: theOneAndTheOthers,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.part(primary.place, place);
      return at;
    },
    end: heal,
  },
  {
    name: 'what the primary says to both others is lost',
    follows: 'each side leads',
    sides: theOneAndTheOthers,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.lose(primary.place, place);
      return at;
    },
    end: heal,
  },
  {
    name: 'what both others say to the primary is lost',
    follows: 'each side leads',
    isMeasuredOnly: true,
    sides: theOneAndTheOthers,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.lose(place, primary.place);
      return at;
    },
    end: heal,
  },
  {
    name: 'none hears another',
    follows: 'each side leads',
    isMeasuredOnly: true,
    sides: ({ site }) => site.hosts.map((host) => [host]),
    begin: (stage) => {
      const at = now();
      for (const { place } of stage.others) stage.site.lan.part(stage.primary.place, place);
      partOthers(stage);
      return at;
    },
    end: heal,
  },
  {
    name: 'the primary and one of the others hear nothing of each other',
    follows: 'nothing',
    isMeasuredOnly: true,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others.slice(1)) site.lan.part(primary.place, place);
      return at;
    },
    end: heal,
  },
  {
    name: 'the others hear nothing of each other',
    follows: 'nothing',
    isMeasuredOnly: true,
    begin: (stage) => {
      const at = now();
      partOthers(stage);
      return at;
    },
    end: heal,
  },
  ...CASES_OF_HOSTS,
];

function theOneAndTheOthers({ primary, others }: Stage): ReturnType<NonNullable<Case['sides']>> {
  return [[primary], others];
}

function partOthers({ site, others: [one, other] }: Stage): void {
  if (one !== undefined && other !== undefined) site.lan.part(one.place, other.place);
}
