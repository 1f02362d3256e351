// Times of day for people: local, with milliseconds, since takeovers are shorter than a second.

/** `14:03:07.250`. */
export function timeOfDay(time: Date): string {
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  return `${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** With the day before it unless that is today. */
export function timeOfDays(time: Date, now: Date): string {
  if (time.toDateString() === now.toDateString()) return timeOfDay(time);
  const day = [time.getMonth() + 1, time.getDate()].map(two).join('-');
  return `${String(time.getFullYear())}-${day} ${timeOfDay(time)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
