// Who is in a room and what they send, as the node tells it. Pure: no connection, no devices, no page.

/** @typedef {'microphone'|'camera'|'screen'} Source what a producer shows or lets hear */

/**
 * @typedef {object} Member
 * @property {string} clientId
 * @property {string} name
 * @property {boolean} isMe
 * @property {number} [volume] 0 to 1, of the last reading; absent in silence
 * @property {boolean} [isHandRaised]
 */

/**
 * Something of somebody else that this terminal receives.
 *
 * @typedef {object} Consumed
 * @property {string} consumerId
 * @property {string} producerId
 * @property {string} clientId whose it is
 * @property {'audio'|'video'} kind
 * @property {Source} source
 * @property {boolean} isPaused nothing comes: its sender, or this terminal, has stopped it
 * @property {{spatial: number, temporal: number}} layers how many there are of each
 * @property {{spatial?: number, temporal?: number}} [sent] which layers come now
 * @property {number} [score] 0 to 10, as the node judges what it sends
 */

/** Below this a level is background, in dBov. */
const SILENCE_DBOV = -127;

/** The members of one room and what this terminal receives from them. */
export class RoomModel {
  /** @type {Map<string, Member>} by client id, in the order in which they are shown */
  members = new Map();
  /** @type {Map<string, Consumed>} by consumer id */
  consumed = new Map();
  #me;

  /** @param {string} me this terminal's client id */
  constructor(me) {
    this.#me = me;
  }

  /** Takes `room::client::list`: everybody, this terminal included. Media of those who are not in it any more go. */
  setMembers(clients) {
    const before = this.members;
    this.members = new Map();
    for (const client of clients) this.#put(client, before.get(client.clientId));
    for (const clientId of before.keys()) if (!this.members.has(clientId)) this.#forgetMediaOf(clientId);
  }

  /**
   * Takes `room::enter` of a member; true when it was not there before.
   *
   * @param {string} clientId
   * @param {{name?: string}} [status]
   */
  enter(clientId, status = {}) {
    const isNew = !this.members.has(clientId);
    this.#put({ ...status, clientId }, this.members.get(clientId));
    return isNew;
  }

  /** Takes `room::leave`; gives back who left. */
  leave(clientId) {
    const member = this.members.get(clientId);
    this.members.delete(clientId);
    this.#forgetMediaOf(clientId);
    return member;
  }

  /** Takes `media::consume`. A member that is not known yet is added: its media came before its name. */
  consume({ consumerId, producerId, sourceId, kind, type, appData, rtpParameters, producerPaused = false }) {
    if (!this.members.has(sourceId)) this.enter(sourceId);
    const consumed = {
      consumerId,
      producerId,
      clientId: sourceId,
      kind,
      source: sourceOf(kind, appData),
      isPaused: producerPaused,
      layers: layersOf(type, rtpParameters?.encodings?.[0]?.scalabilityMode),
    };
    this.consumed.set(consumerId, consumed);
    return consumed;
  }

  /** Takes `media::consumer::close`. */
  forget(consumerId) {
    const consumed = this.consumed.get(consumerId);
    this.consumed.delete(consumerId);
    return consumed;
  }

  /** Takes a `media::*` push that says how something is received. False when it is about nothing known here. */
  tell(signal, body) {
    const consumed = this.consumed.get(body.consumerId);
    if (!consumed) return false;
    if (signal === 'media::consumer::pause') consumed.isPaused = true;
    else if (signal === 'media::consumer::resume') consumed.isPaused = false;
    else if (signal === 'media::consumer::score') consumed.score = body.score?.score;
    else if (signal === 'media::consumer::layers::change')
      consumed.sent = { spatial: body.spatialLayer, temporal: body.temporalLayer };
    else return false;
    return true;
  }

  /** Takes `media::audio::volume`; without volumes there is silence. */
  setVolumes(volumes = []) {
    const byId = new Map(volumes.map((it) => [it.clientId, it.volume]));
    for (const member of this.members.values()) member.volume = loudness(byId.get(member.clientId));
  }

  /** A member raised its hand, or took it down; false when that was known, or nobody knows the member. */
  setHand(clientId, isRaised) {
    const member = this.members.get(clientId);
    if (!member || Boolean(member.isHandRaised) === isRaised) return false;
    member.isHandRaised = isRaised;
    return true;
  }

  /** @returns {string[]} the producers of those microphones that are on, of everybody else */
  openMicrophones() {
    const all = [...this.consumed.values()].filter((it) => it.source === 'microphone' && !it.isPaused);
    return all.map((it) => it.producerId);
  }

  /** What of one kind of source comes from a member. */
  consumedOf(clientId, source) {
    return [...this.consumed.values()].find((it) => it.clientId === clientId && it.source === source);
  }

  /** Whether sound or a picture of a member comes, or would come if it were not paused. */
  isSending(clientId) {
    return [...this.consumed.values()].some((it) => it.clientId === clientId);
  }

  /** @returns {Member[]} everybody but this terminal */
  others() {
    return [...this.members.values()].filter((it) => !it.isMe);
  }

  /** @param {{clientId: string, name?: string}} client @param {Member} [known] */
  #put({ clientId, name }, known) {
    const member = {
      volume: known?.volume,
      clientId,
      name: name || known?.name || clientId,
      isMe: clientId === this.#me,
    };
    this.members.set(clientId, known ? Object.assign(known, member) : member);
  }

  #forgetMediaOf(clientId) {
    for (const [id, consumed] of this.consumed) if (consumed.clientId === clientId) this.consumed.delete(id);
  }
}

/** @returns {Source} */
export function sourceOf(kind, appData) {
  if (kind === 'audio') return 'microphone';
  return appData?.videoSource === 'screen' ? 'screen' : 'camera';
}

/** `'L3T3'` → three and three. A producer of one plain stream has one of each. */
function layersOf(type, mode = '') {
  const [, spatial, temporal] = /^[LS](\d)T(\d)/.exec(type === 'simple' ? '' : mode) ?? [];
  return { spatial: Number(spatial ?? 1), temporal: Number(temporal ?? 1) };
}

/** dBov to a share of the scale that the page shows; undefined in silence. */
function loudness(dbov) {
  if (dbov === undefined || dbov <= SILENCE_DBOV) return undefined;
  return Math.min(1, (dbov - SILENCE_DBOV) / -SILENCE_DBOV);
}
