// A terminal made of mediasoup-client, as applications of the original are. Runs in a page; the test drives it.

import { Device } from 'mediasoup-client';

import { Connection } from '../../../crates/gateway/assets/taoyao/connection.js';

const PATIENCE_MS = 20_000;

/** One member of one room: does what the original's web client does, in its order. */
class Member {
  #connection;
  #roomId;
  #device = new Device();
  #send;
  #receive;
  #producers = new Map();
  #consumers = new Map();
  #dataProducers = new Map();
  /** What data channels brought, oldest first. */
  heard = [];
  /** Every push, oldest first. */
  pushes = [];

  async register({ url, clientId, username, password }) {
    this.#connection = await Connection.open(url, {
      message: (message) => this.#onPush(message),
      closed: () => {},
      signal: () => {},
    });
    const body = { clientId, name: clientId, clientType: 'WEB', username, password };
    const answer = await this.#connection.request('client::register', body);
    this.#connection.index = answer.body.index;
  }

  async create(name) {
    const { body } = await this.#connection.request('room::create', { name });
    return body.roomId;
  }

  async enter(roomId) {
    this.#roomId = roomId;
    const { rtpCapabilities } = await this.#ask('media::router::rtp::capabilities', {});
    await this.#device.load({ routerRtpCapabilities: rtpCapabilities });
    const sctpCapabilities = { numStreams: { OS: 1024, MIS: 1024 } };
    await this.#ask('room::enter', { rtpCapabilities: this.#device.rtpCapabilities, sctpCapabilities });
    this.#send = this.#device.createSendTransport(await this.#createTransport(true, sctpCapabilities));
    this.#receive = this.#device.createRecvTransport(await this.#createTransport(false, sctpCapabilities));
    this.#wire(this.#send);
    this.#wire(this.#receive);
    this.#send.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
      const body = { transportId: this.#send.id, kind, rtpParameters, appData };
      this.#ask('media::produce', body).then(({ producerId }) => done({ id: producerId }), failed);
    });
    this.#send.on('producedata', ({ sctpStreamParameters, label, protocol, appData }, done, failed) => {
      const body = { transportId: this.#send.id, label, protocol, appData, sctpStreamParameters };
      this.#ask('media::data::produce', body).then(({ producerId }) => done({ id: producerId }), failed);
    });
  }

  /** @returns {Promise<string>} the producer's id */
  async produce(kind, options = {}) {
    const stream = await navigator.mediaDevices.getUserMedia({
      [kind]: kind === 'audio' || { width: 1280, height: 720 },
    });
    const producer = await this.#send.produce({
      track: stream.getTracks()[0],
      ...options,
      appData: { videoSource: 'camera' },
    });
    this.#producers.set(producer.id, producer);
    return producer.id;
  }

  async produceData() {
    const producer = await this.#send.produceData({ ordered: true, label: 'taoyao' });
    this.#dataProducers.set(producer.id, producer);
    return producer.id;
  }

  say(id, text) {
    this.#dataProducers.get(id).send(text);
  }

  canSay(id) {
    return this.#dataProducers.get(id).readyState === 'open';
  }

  async consumeDataOf(clientId) {
    const { dataProducers } = await this.#ask('room::client::list::id', { clientId });
    for (const producerId of dataProducers) this.#push('media::data::consume', { producerId });
  }

  pause(id) {
    this.#producers.get(id).pause();
    this.#push('media::producer::pause', { producerId: id });
  }

  resume(id) {
    this.#producers.get(id).resume();
    this.#push('media::producer::resume', { producerId: id });
  }

  closeProducer(id) {
    this.#producers.get(id).close();
    this.#push('media::producer::close', { producerId: id });
  }

  preferLayers(consumerId, spatialLayer, temporalLayer) {
    this.#push('media::consumer::set::preferred::layers', { consumerId, spatialLayer, temporalLayer });
  }

  setPriority(consumerId, priority) {
    this.#push('media::consumer::set::priority', { consumerId, priority });
  }

  requestKeyFrame(consumerId) {
    this.#push('media::consumer::request::key::frame', { consumerId });
  }

  async restartIce() {
    for (const transport of [this.#send, this.#receive]) {
      const { iceParameters } = await this.#ask('media::ice::restart', { transportId: transport.id });
      await transport.restartIce({ iceParameters });
    }
  }

  connectionStates() {
    return [this.#send.connectionState, this.#receive.connectionState];
  }

  /** What the node says of a transport, producer or consumer. */
  async statusOf(signal, body) {
    return (await this.#ask(signal, body)).status;
  }

  transportIds() {
    return [this.#send.id, this.#receive.id];
  }

  /** What comes from a member: `{consumerId, kind, type, spatialLayers, isClosed}`. */
  consumersOf(clientId) {
    return [...this.#consumers.values()]
      .filter((it) => it.sourceId === clientId)
      .map(({ consumer, kind, type }) => ({ consumerId: consumer.id, kind, type, isClosed: consumer.closed }));
  }

  /** The browser's numbers of a consumer's stream. */
  async statsOf(consumerId) {
    const report = await this.#consumers.get(consumerId).consumer.getStats();
    return [...report.values()].find((it) => it.type === 'inbound-rtp');
  }

  leave() {
    this.#push('room::leave', {});
    this.#send.close();
    this.#receive.close();
  }

  disconnect() {
    this.#connection.close();
  }

  /** Waits for a push whose body has all of these values. */
  async until(signal, wanted = {}) {
    const isIt = (it) => it.signal === signal && Object.entries(wanted).every(([key, value]) => it.body[key] === value);
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = this.pushes.find(isIt);
      if (found) return found.body;
      if (Date.now() > end) throw new Error(`no ${signal} with ${JSON.stringify(wanted)} came`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Forgets the pushes that came so far, so that {@link until} waits for new ones. */
  forgetPushes() {
    this.pushes.length = 0;
  }

  async #createTransport(producing, sctpCapabilities) {
    const wish = { forceTcp: false, producing, consuming: !producing, sctpCapabilities };
    const { transportId, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = await this.#ask(
      'media::transport::webrtc::create',
      wish,
    );
    const dtls = { ...dtlsParameters, role: 'auto' };
    return { id: transportId, iceParameters, iceCandidates, dtlsParameters: dtls, sctpParameters, iceServers: [] };
  }

  #wire(transport) {
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      const body = { transportId: transport.id, dtlsParameters };
      this.#ask('media::transport::webrtc::connect', body).then(() => done(), failed);
    });
  }

  async #onPush(message) {
    const { signal } = message.header;
    const { body = {} } = message;
    if (signal === 'media::consume') await this.#consume(message);
    else if (signal === 'media::data::consume') await this.#consumeData(body);
    else if (signal === 'media::consumer::close') this.#consumers.get(body.consumerId)?.consumer.close();
    else if (signal === 'media::consumer::pause') this.#consumers.get(body.consumerId)?.consumer.pause();
    else if (signal === 'media::consumer::resume') this.#consumers.get(body.consumerId)?.consumer.resume();
    this.pushes.push({ signal, body });
  }

  async #consume(message) {
    const { consumerId, producerId, kind, type, rtpParameters, sourceId, appData } = message.body;
    const streamId = `${sourceId}-${appData.videoSource}`;
    const consumer = await this.#receive.consume({
      id: consumerId,
      producerId,
      kind,
      rtpParameters,
      streamId,
      appData,
    });
    this.#consumers.set(consumerId, { consumer, kind, type, sourceId });
    play(consumer.track);
    this.#connection.echo(message);
  }

  async #consumeData({ consumerId, producerId, sctpStreamParameters, label, protocol, appData, sourceId }) {
    const options = { id: consumerId, dataProducerId: producerId, sctpStreamParameters, label, protocol, appData };
    const consumer = await this.#receive.consumeData(options);
    consumer.on('message', (data) => this.heard.push({ from: sourceId, data }));
  }

  async #ask(signal, body) {
    return (await this.#connection.request(signal, { roomId: this.#roomId, ...body })).body;
  }

  #push(signal, body) {
    this.#connection.push(signal, { roomId: this.#roomId, ...body });
  }
}

/** Browsers decode only what is shown. */
function play(track) {
  const element = document.createElement(track.kind);
  element.srcObject = new MediaStream([track]);
  element.muted = track.kind === 'video';
  document.body.append(element);
  element.play().catch(() => {}); // Its numbers will say if nothing comes.
}

globalThis.member = new Member();
