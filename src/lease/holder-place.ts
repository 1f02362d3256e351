// Whether the holder that a store names has its sockets where this process can connect to them.
import { lstatSync } from 'node:fs';
import type { Endpoints, LeaseObservation } from '../core/state.ts';
import { pathOfEndpoint } from '../transport/endpoints.ts';

/**
 * By the sockets themselves, and not by the machine that their node is on: containers of one machine have one boot
 * id and directories of their own, and such a directory may be mounted into several. Addresses of TCP are anybody's.
 */
export function withPlace(observation: LeaseObservation): LeaseObservation {
  const { held, holder } = observation;
  if (!held || holder === null || isHere(holder.endpoints)) return observation;
  return { ...observation, holder: { ...holder, apart: true } };
}

function isHere({ bus, rpc }: Endpoints): boolean {
  return [bus, rpc].every((endpoint) => {
    const path = pathOfEndpoint(endpoint);
    return path === null || isThere(path);
  });
}

/** What may not be looked at can't be connected to either. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
