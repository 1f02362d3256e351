// A SUB socket that may subscribe to any number of topics at once.
import { Subscriber } from 'zeromq';

type Options = ConstructorParameters<typeof Subscriber>[0];

/**
 * Subscriptions are messages to the publisher. libzmq drops those above the high-water mark for sending without a word,
 * which is a thousand and no option of zeromq.js: with as many groups, some would never be heard.
 */
export class GroupsSubscriber extends Subscriber {
  constructor(options: Options) {
    super(options);
    this.setInt32Option(ZMQ_SNDHWM, UNLIMITED);
  }
}

/** From zmq.h. */
const ZMQ_SNDHWM = 23;

/** What is waited with is what it has subscribed to, which its groups bound. */
const UNLIMITED = 0;
