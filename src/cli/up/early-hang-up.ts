// SIGHUP before there is anything to reload: it would end a process that does not listen to it yet.
let hasCome = false;

/** From here on it ends nothing: called before all else is loaded. */
export function hearHangUp(): void {
  process.on('SIGHUP', hear);
}

/** Whether it has come meanwhile; from here on somebody else listens to it. */
export function takeHangUp(): boolean {
  process.off('SIGHUP', hear);
  const it = hasCome;
  hasCome = false;
  return it;
}

function hear(): void {
  hasCome = true;
}
