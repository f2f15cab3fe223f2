// Every signal of the terminal protocol: who sends it, and whether it is answered. Made from the nodes' own table.

/**
 * What a terminal sends and gets an answer to.
 *
 * @typedef {(
 *   | 'client::close'
 *   | 'client::heartbeat'
 *   | 'client::list'
 *   | 'client::register'
 *   | 'client::status'
 *   | 'control::ai'
 *   | 'control::beauty'
 *   | 'control::bell'
 *   | 'control::client::record'
 *   | 'control::config::audio'
 *   | 'control::config::video'
 *   | 'control::photograph'
 *   | 'control::ptz'
 *   | 'control::server::record'
 *   | 'control::wakeup'
 *   | 'control::watermark'
 *   | 'media::consumer::status'
 *   | 'media::data::consumer::status'
 *   | 'media::data::produce'
 *   | 'media::data::producer::status'
 *   | 'media::ice::restart'
 *   | 'media::produce'
 *   | 'media::producer::status'
 *   | 'media::router::rtp::capabilities'
 *   | 'media::transport::plain::create'
 *   | 'media::transport::status'
 *   | 'media::transport::webrtc::connect'
 *   | 'media::transport::webrtc::create'
 *   | 'platform::reboot'
 *   | 'platform::script'
 *   | 'platform::shutdown'
 *   | 'room::client::list'
 *   | 'room::client::list::id'
 *   | 'room::create'
 *   | 'room::enter'
 *   | 'room::list'
 *   | 'room::status'
 *   | 'session::call'
 *   | 'system::info'
 *   | 'system::reboot'
 *   | 'system::shutdown'
 * )} RequestName
 */

/**
 * What a terminal sends and gets no answer to, unless it failed.
 *
 * @typedef {(
 *   | 'client::alarm'
 *   | 'client::broadcast'
 *   | 'client::config'
 *   | 'client::unicast'
 *   | 'media::consume'
 *   | 'media::consumer::close'
 *   | 'media::consumer::pause'
 *   | 'media::consumer::request::key::frame'
 *   | 'media::consumer::resume'
 *   | 'media::consumer::set::preferred::layers'
 *   | 'media::consumer::set::priority'
 *   | 'media::data::consume'
 *   | 'media::data::consumer::close'
 *   | 'media::data::producer::close'
 *   | 'media::producer::close'
 *   | 'media::producer::pause'
 *   | 'media::producer::resume'
 *   | 'media::transport::close'
 *   | 'room::broadcast'
 *   | 'room::close'
 *   | 'room::expel'
 *   | 'room::invite'
 *   | 'room::leave'
 *   | 'session::close'
 *   | 'session::exchange'
 *   | 'session::pause'
 *   | 'session::resume'
 * )} NoticeName
 */

/**
 * What a node sends without being asked.
 *
 * @typedef {(
 *   | 'client::config'
 *   | 'client::offline'
 *   | 'client::online'
 *   | 'client::reboot'
 *   | 'client::shutdown'
 *   | 'media::audio::volume'
 *   | 'media::consume'
 *   | 'media::consumer::close'
 *   | 'media::consumer::layers::change'
 *   | 'media::consumer::pause'
 *   | 'media::consumer::resume'
 *   | 'media::consumer::score'
 *   | 'media::data::consume'
 *   | 'media::data::consumer::close'
 *   | 'media::data::producer::close'
 *   | 'media::producer::close'
 *   | 'media::producer::pause'
 *   | 'media::producer::resume'
 *   | 'media::producer::score'
 *   | 'media::transport::close'
 *   | 'media::video::orientation::change'
 *   | 'platform::error'
 *   | 'room::client::list'
 *   | 'room::close'
 *   | 'room::create'
 *   | 'room::enter'
 *   | 'room::leave'
 *   | 'session::close'
 * )} PushName
 */

/**
 * @typedef {object} SignalRow
 * @property {boolean} sent whether terminals send it
 * @property {boolean} pushed whether nodes send it without being asked
 * @property {boolean} answered whether its sender gets an answer under the message's own id; errors come in any case
 */

/** @type {Readonly<Record<string, SignalRow>>} by name */
export const SIGNALS = Object.freeze({
  'client::alarm': { sent: true, pushed: false, answered: false },
  'client::broadcast': { sent: true, pushed: false, answered: false },
  'client::close': { sent: true, pushed: false, answered: true },
  'client::config': { sent: true, pushed: true, answered: false },
  'client::heartbeat': { sent: true, pushed: false, answered: true },
  'client::list': { sent: true, pushed: false, answered: true },
  'client::offline': { sent: false, pushed: true, answered: false },
  'client::online': { sent: false, pushed: true, answered: false },
  'client::reboot': { sent: false, pushed: true, answered: false },
  'client::register': { sent: true, pushed: false, answered: true },
  'client::shutdown': { sent: false, pushed: true, answered: false },
  'client::status': { sent: true, pushed: false, answered: true },
  'client::unicast': { sent: true, pushed: false, answered: false },
  'control::ai': { sent: true, pushed: false, answered: true },
  'control::beauty': { sent: true, pushed: false, answered: true },
  'control::bell': { sent: true, pushed: false, answered: true },
  'control::client::record': { sent: true, pushed: false, answered: true },
  'control::config::audio': { sent: true, pushed: false, answered: true },
  'control::config::video': { sent: true, pushed: false, answered: true },
  'control::photograph': { sent: true, pushed: false, answered: true },
  'control::ptz': { sent: true, pushed: false, answered: true },
  'control::server::record': { sent: true, pushed: false, answered: true },
  'control::wakeup': { sent: true, pushed: false, answered: true },
  'control::watermark': { sent: true, pushed: false, answered: true },
  'media::audio::volume': { sent: false, pushed: true, answered: false },
  'media::consume': { sent: true, pushed: true, answered: false },
  'media::consumer::close': { sent: true, pushed: true, answered: false },
  'media::consumer::layers::change': { sent: false, pushed: true, answered: false },
  'media::consumer::pause': { sent: true, pushed: true, answered: false },
  'media::consumer::request::key::frame': { sent: true, pushed: false, answered: false },
  'media::consumer::resume': { sent: true, pushed: true, answered: false },
  'media::consumer::score': { sent: false, pushed: true, answered: false },
  'media::consumer::set::preferred::layers': { sent: true, pushed: false, answered: false },
  'media::consumer::set::priority': { sent: true, pushed: false, answered: false },
  'media::consumer::status': { sent: true, pushed: false, answered: true },
  'media::data::consume': { sent: true, pushed: true, answered: false },
  'media::data::consumer::close': { sent: true, pushed: true, answered: false },
  'media::data::consumer::status': { sent: true, pushed: false, answered: true },
  'media::data::produce': { sent: true, pushed: false, answered: true },
  'media::data::producer::close': { sent: true, pushed: true, answered: false },
  'media::data::producer::status': { sent: true, pushed: false, answered: true },
  'media::ice::restart': { sent: true, pushed: false, answered: true },
  'media::produce': { sent: true, pushed: false, answered: true },
  'media::producer::close': { sent: true, pushed: true, answered: false },
  'media::producer::pause': { sent: true, pushed: true, answered: false },
  'media::producer::resume': { sent: true, pushed: true, answered: false },
  'media::producer::score': { sent: false, pushed: true, answered: false },
  'media::producer::status': { sent: true, pushed: false, answered: true },
  'media::router::rtp::capabilities': { sent: true, pushed: false, answered: true },
  'media::transport::close': { sent: true, pushed: true, answered: false },
  'media::transport::plain::create': { sent: true, pushed: false, answered: true },
  'media::transport::status': { sent: true, pushed: false, answered: true },
  'media::transport::webrtc::connect': { sent: true, pushed: false, answered: true },
  'media::transport::webrtc::create': { sent: true, pushed: false, answered: true },
  'media::video::orientation::change': { sent: false, pushed: true, answered: false },
  'platform::error': { sent: false, pushed: true, answered: false },
  'platform::reboot': { sent: true, pushed: false, answered: true },
  'platform::script': { sent: true, pushed: false, answered: true },
  'platform::shutdown': { sent: true, pushed: false, answered: true },
  'room::broadcast': { sent: true, pushed: false, answered: false },
  'room::client::list': { sent: true, pushed: true, answered: true },
  'room::client::list::id': { sent: true, pushed: false, answered: true },
  'room::close': { sent: true, pushed: true, answered: false },
  'room::create': { sent: true, pushed: true, answered: true },
  'room::enter': { sent: true, pushed: true, answered: true },
  'room::expel': { sent: true, pushed: false, answered: false },
  'room::invite': { sent: true, pushed: false, answered: false },
  'room::leave': { sent: true, pushed: true, answered: false },
  'room::list': { sent: true, pushed: false, answered: true },
  'room::status': { sent: true, pushed: false, answered: true },
  'session::call': { sent: true, pushed: false, answered: true },
  'session::close': { sent: true, pushed: true, answered: false },
  'session::exchange': { sent: true, pushed: false, answered: false },
  'session::pause': { sent: true, pushed: false, answered: false },
  'session::resume': { sent: true, pushed: false, answered: false },
  'system::info': { sent: true, pushed: false, answered: true },
  'system::reboot': { sent: true, pushed: false, answered: true },
  'system::shutdown': { sent: true, pushed: false, answered: true },
});
