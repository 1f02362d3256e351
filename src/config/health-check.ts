// `--health` and `--standby-health`: the three forms of a check that is asked again and again.
import { parsePolledForm, required } from './polled-check.ts';
import type { PolledCheck } from './polled-check.ts';

/** The forms, for messages and help. */
const HEALTH_CHECK_FORMS = 'http://HOST/PATH, https://HOST/PATH, tcp://HOST:PORT or exec:COMMAND';

/**
 * Reads a health check.
 *
 * @param source What it was given as (a flag, a variable), named by the error.
 * @throws FAILOVER_BAD_OPTION when it has none of the forms, or a form's part is wrong.
 */
export function parseHealthCheck(text: string, source = '--health'): PolledCheck {
  return required(parsePolledForm(text), { text, source, forms: HEALTH_CHECK_FORMS });
}
