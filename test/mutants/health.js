// Faults of health: who does not serve leads on, the lead goes to and fro, or an answer is taken for another.
import { transcript } from './mutant.js';

/** Groups that are asked, and little else that goes wrong. @type {import('./mutant.js').SimulationCheck} */
const ILL = { steps: 300_000, faults: ['unhealthy', 'check-hang', 'crash', 'quit'] };

/** @type {readonly import('./mutant.js').Mutant[]} */
export const HEALTH = [
  {
    id: 'late-health-answer-counts',
    says: 'The answer to a check of a workload that has ended counts for the one that was started since.',
    breaks: 'order',
    file: 'src/core/health-checks.ts',
    from: 'check?.number === event.number',
    to: 'check !== null',
    killers: [transcript('an answer about the workload that has ended since counts for nothing')],
  },
  {
    id: 'unhealthy-leads-on',
    says: 'A primary whose workload does not serve hands over to nobody.',
    breaks: 'order',
    file: 'src/core/unhealthy.ts',
    from: 'return successionOf(fit, at, settings)[0] ?? null;',
    to: 'return successionOf(fit, at, settings)[-1] ?? null;',
    killers: [transcript('a primary that falls hands over to the first healthy node'), ILL],
  },
  {
    id: 'hands-over-to-unhealthy',
    says: 'An unhealthy primary hands over to a node that is no better, and that to the next.',
    breaks: 'order',
    file: 'src/core/unhealthy.ts',
    from: 'healthRank(standby) === 0',
    to: 'healthRank(standby) >= 0',
    killers: [
      transcript(
        'nobody is named who is not known to be healthy, not willing, or not heard of late',
      ),
    ],
  },
  {
    id: 'health-flaps',
    says: 'The lead is handed over for health as often as somebody falls.',
    breaks: 'order',
    file: 'src/core/unhealthy.ts',
    from: 'return state.at < nextDemotionAt(demotions, settings)',
    to: 'return state.at < 0 * nextDemotionAt(demotions, settings)',
    killers: [
      transcript('the lead is not handed over again within the minute, whoever did it; then it is'),
      ILL,
    ],
  },
  {
    id: 'health-hold-never-longer',
    says: 'A group that is ill as a whole hands over once a minute for ever.',
    breaks: 'order',
    file: 'src/core/health.ts',
    from: '2 ** Math.min(count - 1, LONGEST_HOLD)',
    to: '1 ** Math.min(count - 1, LONGEST_HOLD)',
    killers: [transcript('the second time in a row the lead stays where it is for two minutes')],
  },
  {
    id: 'handovers-of-others-forgotten',
    says: 'Each node counts its own handovers for health alone, and a large group flaps.',
    breaks: 'order',
    file: 'src/core/hearing.ts',
    from: 'told === undefined ? health.demotions : heardDemotions(health.demotions, told, at);',
    to: 'told === undefined ? health.demotions : heardDemotions(health.demotions, { count: 0, agoMs: Infinity }, at);',
    killers: [
      transcript('the lead is not handed over again within the minute, whoever did it; then it is'),
    ],
  },
  {
    id: 'unhealthy-standby-first',
    says: 'A standby that could not serve claims a free lease as fast as those that could.',
    breaks: 'order',
    file: 'src/core/claim.ts',
    from: 'const yields = isWanted ? null : giveWay(state, request.loss, settings);',
    to: 'const yields = isWanted ? null : giveWay(state, request.loss, { ...settings, heartbeatTimeoutMs: 0 });',
    killers: [
      transcript(
        'an unhealthy secondary leaves a free lease to the others for one heartbeat timeout, and leads if nobody has',
      ),
      ILL,
    ],
  },
  {
    id: 'unhealthy-standby-never',
    says: 'A standby that could not serve leads under no circumstances, and nobody does.',
    breaks: 'S4',
    file: 'src/core/yielding.ts',
    from: 'return until > state.at ? until : null;',
    to: 'return until > state.at ? until : state.at + settings.heartbeatTimeoutMs;',
    killers: [
      transcript(
        'an unhealthy secondary leaves a free lease to the others for one heartbeat timeout, and leads if nobody has',
      ),
      ILL,
    ],
  },
  {
    id: 'unhealthy-successor-leads',
    says: 'A node that fell after it was named as the successor leads all the same.',
    breaks: 'order',
    file: 'src/core/hearing.ts',
    from: '  return yieldsBecause(state, settings);',
    to: '  return yieldsBecause(state, settings) === null ? null : null;',
    killers: [transcript('a named successor that is unhealthy passes')],
  },
  {
    id: 'unhealthy-promoted',
    says: 'A person who asks for the next best node gets one that could not serve.',
    breaks: 'order',
    file: 'src/core/requests.ts',
    from: "because === null || state.health.status !== 'unhealthy'",
    to: 'because !== null || state.health.checkCount < 0',
    killers: [transcript('a promotion of an unhealthy node is refused; a forced one is not')],
  },
  {
    id: 'once-unhealthy-never-promoted',
    says: 'Who handed over since its workload fell is refused for ever, although nothing is asked of it.',
    breaks: 'order',
    file: 'src/core/requests.ts',
    from: "because === null || state.health.status !== 'unhealthy'",
    to: "because?.length === -1 || state.health.status !== 'unhealthy'",
    killers: [
      transcript('who stepped down unhealthy may be promoted again when the minute is over'),
    ],
  },
  {
    id: 'starved-checks-count',
    says: 'On a machine without time for its checks a workload that serves is handed over.',
    breaks: 'order',
    file: 'src/core/health.ts',
    from: '(isStarved && starved % STARVED_CHECKS !== 0)',
    to: '(isStarved && starved < 0)',
    killers: [
      transcript(
        "while this node's own loop is late, or the machine has no time for a check, only each fifth counts",
      ),
    ],
  },
  {
    id: 'no-health-grace',
    says: 'A workload that takes its time to start is unhealthy before it can serve.',
    breaks: 'order',
    file: 'src/core/health.ts',
    from: 'check.askedAt < health.graceUntil',
    to: 'check.askedAt < 0',
    killers: [
      transcript(
        'a check that fails within the grace after a start says nothing, until one has passed',
      ),
    ],
  },
  {
    id: 'unhealthy-restart-beside-itself',
    says: 'What is to be started again because it does not serve is not ended first.',
    breaks: 'S4',
    file: 'src/core/restarting.ts',
    from: 'ending: { until: stopDueAt(state.at, graceMs), told: false },',
    to: 'ending: null,',
    killers: [
      transcript(
        'without a healthy node the workload is started again in place: ended first, under a new epoch',
      ),
      ILL,
    ],
  },
];
