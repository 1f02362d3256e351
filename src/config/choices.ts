// The values of each option that takes one of a few words.

export const START_ROLES = ['auto', 'primary', 'secondary'] as const;
export const STRATEGIES = ['race', 'priority'] as const;
export const STANDBY_MODES = ['cold', 'armed', 'hot'] as const;
export const FENCE_MODES = ['kill', 'kill-unless-stopped', 'none'] as const;
export const ORPHAN_MODES = ['stop', 'kill', 'keep'] as const;
export const RESTART_MODES = ['always', 'on-failure', 'never'] as const;
export const PROXY_MODES = ['http', 'tcp'] as const;
export const READ_FROM = ['primary', 'any', 'secondaries'] as const;
export const LOG_FORMATS = ['pretty', 'json'] as const;
