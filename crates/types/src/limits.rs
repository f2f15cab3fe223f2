//! Every bound of the mesh in one place, each with its reason and with what happens beyond it.

use std::time::Duration;

/// Tiers of nodes; a request crosses at most `2 × TIERS_MAX − 1` nodes. Beyond it the topology is refused.
pub const TIERS_MAX: usize = 6;
/// Labels of a partition: one per tier and two levels of sub-partitions.
pub const PARTITION_LABELS_MAX: usize = 8;
/// Bytes of a node's or partition's name, as in DNS. Longer names are refused.
pub const NAME_BYTES_MAX: usize = 255;
/// Bytes of a terminal's own id: UUIDs, GB28181 codes and device names fit well. Longer ids are refused.
pub const CLIENT_ID_BYTES_MAX: usize = 128;

/// Bytes of one WebSocket text message (reference section 1.2). Beyond it the connection is closed with 1009.
pub const TERMINAL_MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Containers inside one another in a terminal's JSON: real bodies nest a dozen deep. Deeper texts count as unreadable.
pub const JSON_DEPTH_MAX: usize = 128;
/// Bytes of a terminal's display name. What goes beyond is cut off.
pub const DISPLAY_NAME_BYTES_MAX: usize = 256;
/// Bytes of the free `status` and of the free `config` of a terminal's state. Entries that go beyond are not taken.
pub const FREE_STATE_BYTES_MAX: usize = 4 * 1024;
/// Messages queued towards one terminal. Beyond it the terminal reads too slowly and is closed.
pub const TERMINAL_QUEUE_MAX: usize = 1024;
/// Bytes queued towards one terminal: four of the largest messages. Beyond it the terminal is closed.
pub const TERMINAL_QUEUE_BYTES_MAX: usize = 4 * TERMINAL_MESSAGE_BYTES_MAX;
/// Bytes of a terminal's protocol's own answers (pongs) that wait for it, and of everything that waits for a connection that
/// has not registered. Beyond it the connection is not read until it has read.
pub const TERMINAL_REPLIES_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a frame on a bare TCP socket: its length is a signed 16-bit number (reference section 1.3). A longer message
/// is replaced by an error that says so.
pub const TCP_FRAME_BYTES_MAX: usize = i16::MAX as usize;
/// The same on listeners with DES or AES: what the original's Android app is sure to take. Operators may raise it.
pub const TCP_FRAME_BYTES_ANDROID: usize = 15_361;
/// A connection that has not registered by then is closed (reference section 1.4: 5 s and up to a minute more).
pub const UNREGISTERED_MAX: Duration = Duration::from_secs(5);
/// A WebSocket on which nothing moved for this long is closed with 1001 (reference section 1.2).
pub const TERMINAL_IDLE_MAX: Duration = Duration::from_secs(60);
/// Bytes of an account's name. Longer ones are refused without a look-up.
pub const USERNAME_BYTES_MAX: usize = 64;
/// Bytes of a password: room for any phrase or token. Longer ones are refused without hashing them.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Bytes of a REST call's body: settings of a terminal have some hundred. Longer ones are refused unread.
pub const REST_BODY_BYTES_MAX: usize = 64 * 1024;
/// REST calls under way at one node: each is a guest of the terminals' machine. Beyond it new ones are refused as busy.
pub const REST_CALLS_MAX: usize = 256;
/// REST calls of one account under way at one node. Beyond it new ones are refused as busy.
pub const REST_CALLS_PER_ACCOUNT_MAX: usize = 16;
/// Sessions of WHIP and WHEP at one node: each is a terminal with a transport. Beyond it new ones are refused as busy.
pub const WHIP_SESSIONS_MAX: usize = 4_096;
/// Sessions of WHIP and WHEP of one account at one node. Beyond it new ones are refused as busy.
pub const WHIP_SESSIONS_PER_ACCOUNT_MAX: usize = 512;
/// How long a REST call waits for the node: a little more than any request of the mesh takes. Then it is answered 504.
pub const REST_ANSWER_MAX: Duration = Duration::from_secs(6);
/// Bearer tokens of one account: one for each of a person's machines and scripts. Beyond it a new one is refused.
pub const USER_TOKENS_MAX: usize = 32;
/// Addresses and account names whose failed logins are remembered, each. The oldest are forgotten first.
pub const LOGIN_FAILURES_MAX: usize = 16_384;
/// Terminals registered at one node unless its topology says otherwise. Beyond it a registration is refused as `busy`.
pub const TERMINALS_MAX: usize = 100_000;
/// Connections of one listener at once, of whatever kind. Beyond it new ones are closed at once.
pub const TERMINAL_CONNECTIONS_MAX: usize = 120_000;
/// Connections at once from one address: a large site behind one NAT fits. Beyond it new ones are closed at once.
pub const TERMINAL_CONNECTIONS_PER_ADDRESS_MAX: usize = 20_000;
/// Connections at once from one address (one /64 in IPv6) on which nobody has registered, HTTP requests included: a large site
/// that comes back after an outage logs in some hundred at a time. Beyond it new ones are told to come back, and closed.
pub const TERMINAL_STRANGERS_PER_ADDRESS_MAX: usize = 1_024;
/// Connections that are told at once why they are refused. Beyond it further ones are closed without a word.
pub const TERMINAL_REFUSALS_AT_ONCE: usize = 64;
/// Descriptors of the process that terminals' connections leave to links, files and operators. Beyond it connections are
/// refused as at [`TERMINAL_CONNECTIONS_MAX`].
pub const DESCRIPTORS_KEPT: usize = 256;
/// Descriptors that the operators' listener keeps for when the process has none left.
pub const ADMIN_DESCRIPTORS_KEPT: usize = 4;
/// Connections of operators at once. Beyond it the oldest is cut off.
pub const ADMIN_CONNECTIONS_MAX: usize = 256;
/// Bytes of terminals' long messages (over 4 KiB) that wait for the node at once. Beyond it sockets are not read.
pub const TERMINAL_UNREAD_BYTES_MAX: usize = 64 * TERMINAL_MESSAGE_BYTES_MAX;
/// Events of a gateway that wait for the node at once. Beyond it sockets are not read.
pub const GATEWAY_EVENTS_MAX: usize = 4_096;
/// Events of links that wait for the node at once, each with what one read of a stream brought. Beyond it streams are
/// not read, and QUIC slows the peers down.
pub const LINK_EVENTS_MAX: usize = 1_024;
/// Logins that wait until their password is checked; twenty seconds of work for one core. Beyond it the address that has most
/// makes way, and who makes way is told when to come back.
pub const LOGINS_WAITING_MAX: usize = 1_024;
/// The same from one address. Beyond it a login is told when to come back.
pub const LOGINS_WAITING_PER_ADDRESS_MAX: usize = 256;
/// Bearer tokens that are looked up at a time; each takes less than a millisecond. Beyond it one is told to come back.
pub const TOKENS_CHECKED_MAX: usize = 64;
/// Accounts whose right password a node knows again without a slow look, and those whose addresses it knows. Beyond it every
/// login is looked at slowly, and failures of others may put it off.
pub const LOGINS_REMEMBERED_MAX: usize = 131_072;
/// How long a right password is known again. Then it is looked at slowly once more.
pub const LOGIN_REMEMBERED: Duration = Duration::from_secs(3_600);
/// Wrong passwords that a node knows again. The oldest are forgotten first, and looked at slowly once more.
pub const LOGINS_WRONG_REMEMBERED_MAX: usize = 4_096;
/// How long a terminal that may come back stays registered without a connection.
pub const RESUME_KEPT: Duration = Duration::from_secs(30);
/// Messages to such a terminal that are kept, and their bytes. Whoever has missed more registers anew.
pub const RESUME_MESSAGES_MAX: usize = 256;
pub const RESUME_BYTES_MAX: usize = 256 * 1024;
/// How long after a start tickets of earlier lives stand in for passwords: a site that was without power is back by then.
/// Later the terminal has to log in with its password.
pub const TICKETS_OUTLIVE: Duration = Duration::from_secs(1_800);
/// How old such a ticket may be. A terminal that was connected for longer has to log in with its password.
pub const TICKET_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
/// A registered terminal that said nothing for this long is closed (reference section 3.6: what the original meant).
pub const TERMINAL_SILENT_MAX: Duration = Duration::from_secs(300);
/// Messages of one connection that wait while its password is checked. Beyond it they are refused as busy.
pub const WAITING_MAX: usize = 16;
/// Bytes of those messages: whoever sends them is not known yet. Beyond it they are refused as busy.
pub const WAITING_BYTES_MAX: usize = 64 * 1024;
/// Requests of one terminal that the mesh works on at a time. Beyond it new ones are refused as busy.
pub const TERMINAL_ASKS_MAX: usize = 256;
/// Requests of the mesh that one terminal may have unanswered. Beyond it new ones are refused as busy.
pub const TERMINAL_PENDING_MAX: usize = 256;
/// Peer-to-peer sessions that one terminal has begun, and as many in which it was called: calls to it never keep it from
/// calling. Beyond it calls from it, or to it, are refused as busy.
pub const TERMINAL_SESSIONS_MAX: usize = 64;
/// Calls of all accounts of one node that nobody has answered yet. Beyond it new ones are refused as busy.
pub const CALLS_UNANSWERED_MAX: usize = 65_536;
/// Calls of one account that ring at one terminal at a time: four accounts have to act together to keep a telephone engaged.
/// Beyond it further calls of the account are refused as busy.
pub const CALLS_RINGING_PER_ACCOUNT_MAX: usize = 16;
/// How long a call may stay unanswered. Then it ends, and both ends are told why.
pub const CALL_UNANSWERED_MAX: Duration = Duration::from_secs(60);
/// Messages that wait at the caller's node until the caller has been told its session's id. Beyond it they are refused.
pub const EARLY_MESSAGES_MAX: usize = 64;
/// Rooms that one node has; fewer where its SFU carries fewer. Beyond it the room that has been empty for longest is closed,
/// of an account that has at least as many as who asks, or creating is refused as busy.
pub const ROOMS_MAX: usize = 10_000;
/// Rooms of one creator. Beyond it its room that has been empty for longest is closed, or creating is refused as busy.
pub const ROOMS_PER_TERMINAL_MAX: usize = 64;
/// How long a room without members stays unless its topology or its creator says otherwise: a coffee. Then it ends.
pub const ROOM_EMPTY_KEPT: Duration = Duration::from_secs(600);
/// The longest that a creator may ask for unless the topology says otherwise: a meeting of tomorrow.
pub const ROOM_EMPTY_KEPT_MAX: Duration = Duration::from_secs(24 * 3600);
/// The shortest: who makes a room has to get into it. Shorter ones are refused.
pub const ROOM_EMPTY_KEPT_MIN: Duration = Duration::from_secs(10);
/// Members of one room. Beyond it entering is refused as busy.
pub const ROOM_MEMBERS_MAX: usize = 1_000;
/// Rooms that one terminal is in. Beyond it entering is refused as busy.
pub const TERMINAL_ROOMS_MAX: usize = 64;
/// Bytes of a room's name. What goes beyond is cut off.
pub const ROOM_NAME_BYTES_MAX: usize = 256;
/// News of a room that are kept for a node that has missed them. Who has missed more enters anew.
pub const ROOM_NEWS_KEPT: usize = 256;
/// Bytes of those news for one node: a hundred arrivals. Beyond it the oldest go, and who has missed them enters anew.
pub const ROOM_NEWS_FEED_BYTES_MAX: usize = 256 * 1024;
/// Bytes of those news of one room, for all nodes of its members. The oldest go first.
pub const ROOM_NEWS_ROOM_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of those news of all rooms of a node. The oldest go first.
pub const ROOM_NEWS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of the states of a room's members that are told whole. Beyond it they are told in brief, so that a thousand fit
/// into one frame of a link.
pub const ROOM_MEMBERS_BYTES_MAX: usize = 512 * 1024;
/// Bytes of a display name in such a brief state, as JSON. What goes beyond is cut off.
pub const BRIEF_NAME_BYTES_MAX: usize = 128;
/// Bytes of one comparison of rooms. Beyond it the rooms are spread over several.
pub const ROOM_CHECK_BYTES_MAX: usize = 512 * 1024;
/// The loudest members of a room that its volumes name. Quieter ones are left out.
pub const ROOM_VOLUMES_MAX: usize = 64;
/// How often a node compares its members of rooms with the rooms' nodes, and what both sides know.
pub const ROOM_CHECK: Duration = Duration::from_secs(5);
/// Members of a node that did not compare for this long are taken out of the room.
pub const ROOM_LEASE: Duration = Duration::from_secs(30);
/// Wrong passwords of a room that one account may try without waiting. Each further one has to wait twice as long as the one
/// before, from a second on; refused as busy until then.
pub const ROOM_GUESSES_FREE: u32 = 5;
/// The longest of these waits: twelve guesses in an hour, so that all PINs of four digits take 35 days.
pub const ROOM_GUESS_WAIT_MAX: Duration = Duration::from_secs(300);
/// The same for all accounts together that were never in the room.
pub const ROOM_STRANGERS_GUESSES_FREE: u32 = 32;
/// See [`ROOM_STRANGERS_GUESSES_FREE`]: sixty guesses in an hour, however many accounts there are.
pub const ROOM_STRANGERS_WAIT_MAX: Duration = Duration::from_secs(60);
/// How long after the last wrong one guesses are forgotten.
pub const ROOM_GUESSES_REMEMBERED: Duration = Duration::from_secs(1_800);
/// Accounts whose guesses a room remembers. Beyond it the one that may try again soonest is forgotten; all of them together
/// still wait.
pub const ROOM_GUESSERS_MAX: usize = 256;
/// Terminals that a room remembers to have been in it, so that strangers' guesses do not keep them out. The oldest go first.
pub const ROOM_ACQUAINTED_MAX: usize = ROOM_MEMBERS_MAX;
/// Passwords of rooms that wait to be hashed or checked; five seconds of work for one core. Beyond it refused as busy.
pub const ROOM_PASSWORDS_WAITING_MAX: usize = 256;
/// How many of them strangers leave to those who own the room or have been in it.
pub const ROOM_PASSWORDS_RESERVED: usize = 32;
/// How long the pass of an invitation is good for.
pub const ROOM_PASS_KEPT: Duration = Duration::from_secs(600);
/// Bytes of the `rtpCapabilities` of a member of a room: a browser's are 15 KiB. With longer ones entering is refused.
pub const RTP_CAPABILITIES_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a producer's `appData`, which every consumer is told. Longer ones are refused.
pub const APP_DATA_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a data channel's label, and of its protocol. Longer ones are refused.
pub const DATA_LABEL_BYTES_MAX: usize = 256;
/// Transports of one member of a room: one to send and one to receive are usual. Beyond it refused as busy.
pub const MEMBER_TRANSPORTS_MAX: usize = 16;
/// Producers of one member of a room, of media and data. Beyond it producing is refused as busy.
pub const MEMBER_PRODUCERS_MAX: usize = 32;
/// Consumers of one member of a room: sound, picture, screen and data of a thousand others. Beyond it refused as busy.
pub const MEMBER_CONSUMERS_MAX: usize = 4_096;
/// Consumers of one room: 128 members who all see and hear each other, or a thousand who each see a few others. Beyond it
/// nothing is consumed without being asked for, and asking is refused as busy.
pub const ROOM_CONSUMERS_MAX: usize = 32_768;
/// Commands to the SFU about one room that are not answered. Beyond it requests are refused as busy.
pub const ROOM_MEDIA_WAITING_MAX: usize = 4_096;
/// How long the SFU has to answer: less than the terminal waits, so that it hears why.
pub const MEDIA_TIMEOUT: Duration = Duration::from_millis(4_500);
/// Alarms that one terminal may raise in a second, and at once after a silence. Beyond it they are refused as busy.
pub const ALARMS_PER_SECOND: u32 = 1;
pub const ALARMS_AT_ONCE: u32 = 16;
/// The same of one account, over all its terminals: their names are free. A site on fire fits; beyond it refused as busy.
pub const ACCOUNT_ALARMS_PER_SECOND: u32 = 32;
pub const ACCOUNT_ALARMS_AT_ONCE: u32 = 256;
/// Bytes of an alarm's message. What goes beyond is cut off.
pub const ALARM_BYTES_MAX: usize = 1024;
/// Alarms that one node keeps of its partitions: more than a person reads. The oldest of the account that has most make way.
pub const ALARMS_KEPT: usize = 1_024;
/// Alarms of one node's terminals that wait for the owners of their partitions. The oldest of the account that has most make
/// way, and are counted.
pub const ALARMS_WAITING_MAX: usize = 1_024;
/// Bounds of the pause before an alarm is reported again; doubled at each failure.
pub const ALARM_RETRY_MIN: Duration = Duration::from_secs(1);
/// See [`ALARM_RETRY_MIN`].
pub const ALARM_RETRY_MAX: Duration = Duration::from_secs(10);
/// Scripts and looks at the machine under way at one node. Beyond it new ones are refused as busy.
pub const DEEDS_MAX: usize = 16;
/// Bytes of a `platform::script`, name and arguments. A longer one is refused like one of no known name.
pub const SCRIPT_BYTES_MAX: usize = 4 * 1024;
/// Bytes of what a script says, of each of its two outputs. What goes beyond is cut off.
pub const SCRIPT_OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// How long a script may run unless the operator says otherwise: its answer is in time for the terminal.
pub const SCRIPT_TIMEOUT: Duration = Duration::from_secs(4);
/// The longest that the operator may let a script run.
pub const SCRIPT_TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// Broadcasts that one terminal may send in a second, and at once after a silence. Beyond it they are refused as busy.
pub const BROADCASTS_PER_SECOND: u32 = 20;
pub const BROADCASTS_AT_ONCE: u32 = 40;
/// KiB that one account may send in a second, and at once, to everybody of a partition or a room, and again to each single
/// terminal: a reader on a line of 10 Mbit/s keeps up, and what comes at once fits into its queue. Beyond it what is sent is
/// refused as busy, with when to come back.
pub const ACCOUNT_SENDS_KIB_PER_SECOND: u32 = 1_024;
pub const ACCOUNT_SENDS_KIB_AT_ONCE: u32 = 2_048;
/// Pairs of an account and whom it sends long messages to that are remembered. Beyond it further ones are refused as busy.
pub const ALLOWANCES_MAX: usize = 16_384;
/// Terminals elsewhere whose presence one node remembers per partition. Beyond it they are not announced.
pub const PRESENCE_MEMBERS_MAX: usize = 10_000;
/// Messages in which a node announces presence to its terminals in a second, and at once. Beyond it announcements wait
/// and are merged: the newest state of a terminal wins.
pub const ANNOUNCEMENTS_PER_SECOND: u32 = 50_000;
pub const ANNOUNCEMENTS_AT_ONCE: u32 = 25_600;
/// What an announcement costs at least, in messages: keeps a burst of them well below [`TERMINAL_QUEUE_MAX`].
pub const ANNOUNCEMENT_COST_MIN: u32 = 100;
/// Entries of one `client::list` answer unless the request says less.
pub const LIST_ENTRIES_MAX: usize = 1_000;
/// Bytes of the states in one `client::list` answer; the rest is paged.
pub const LIST_BYTES_MAX: usize = 512 * 1024;
/// Lists that are collected for one terminal at once; more wait.
pub const LISTS_PER_TERMINAL: usize = 4;
/// Lists that are collected for one account of a node at once. Those who want the same share one.
pub const LISTS_PER_ACCOUNT: usize = 16;
/// Bytes of lists that are collected for one account of a node, in KiB: they come on the links that calls use.
pub const ACCOUNT_LISTS_KIB_PER_SECOND: u32 = 1_024;
/// The same after a silence.
pub const ACCOUNT_LISTS_KIB_AT_ONCE: u32 = 2_048;
/// How long a list waits for its turn before its terminal is told to come back.
pub const LIST_WAIT_MAX: Duration = Duration::from_secs(3);

/// How long a request may take end to end: a little less than the 5 s after which a terminal gives up (reference 2.6).
pub const REQUEST_TIMEOUT: Duration = Duration::from_millis(4_750);
/// The longest that a node lets a neighbour's request wait, whatever the request says.
pub const REQUEST_TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// Hops that one signal may take; three more than the longest way through the deepest tree.
pub const TTL: u8 = 16;
/// Requests that one node remembers on their way through. Beyond it new ones are answered `busy`.
pub const PENDING_MAX: usize = 65_536;
/// How long the target's node remembers a request's answer, so that a repeated request is not executed twice.
pub const RESULT_KEPT: Duration = Duration::from_secs(60);
/// Answers remembered; the oldest go first.
pub const RESULTS_MAX: usize = 65_536;
/// Bytes of the answers remembered. The oldest go first.
pub const RESULTS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Answers remembered for the requests of one node, and their bytes. Its own oldest go first.
pub const RESULTS_PER_ORIGIN_MAX: usize = RESULTS_MAX / 4;
pub const RESULTS_PER_ORIGIN_BYTES_MAX: usize = RESULTS_BYTES_MAX / 4;
/// Bytes of an answer that is remembered although its request only looks. A longer one is made anew when it is asked again.
pub const RESULT_OF_A_LOOK_BYTES_MAX: usize = 4 * 1024;

/// Bytes of one frame on a link: a terminal message and its header fit. A larger one is a fault of the peer.
pub const FRAME_BYTES_MAX: usize = TERMINAL_MESSAGE_BYTES_MAX + 64 * 1024;
/// Bytes of a frame's header. A larger one is a fault of the peer.
pub const FRAME_HEADER_BYTES_MAX: usize = 4 * 1024;
/// Ordered streams over which one link spreads its signals by (source, target).
pub const SHARDS: u8 = 8;
/// Bytes of signals that may wait for one link. Beyond it requests are answered `busy`, broadcasts are dropped.
pub const LINK_QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of directory traffic handed to one link before it has sent some.
pub const DIRECTORY_QUEUE_BYTES_MAX: usize = 512 * 1024;
/// Changes that the journal keeps for a parent that was away; about 8 MB. Older gaps need a snapshot.
pub const JOURNAL_RECORDS_MAX: usize = 262_144;
/// Changes in one directory frame.
pub const BATCH_RECORDS_MAX: usize = 4_000;
/// How long changes wait for company before they travel.
pub const BATCH_DELAY: Duration = Duration::from_millis(20);
/// How long presence changes wait, so that a burst becomes one message and a flap none.
pub const PRESENCE_DELAY: Duration = Duration::from_millis(50);
/// How long a withdrawn record is remembered, so that a late copy of it cannot come back.
pub const TOMBSTONE_KEPT: Duration = Duration::from_secs(120);
/// How long the records behind a lost link are kept (unreachable) before they are withdrawn.
pub const LEASE: Duration = Duration::from_secs(60);
/// How far ahead of this node's clock a session epoch may be. Beyond it the record is refused and counted.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(5);
/// How far a node's clock may be from its parent's before it goes by the parent's: a few of them in a row stay within
/// [`CLOCK_SKEW_MAX`].
pub const CLOCK_OWN_WITHIN: Duration = Duration::from_secs(1);
/// How often a parent tells its children what time it is.
pub const CLOCK_TOLD_EVERY: Duration = Duration::from_secs(10);
/// How far beyond the seconds of the clock a life may be which a parent remembers of this node. One further ahead was never
/// counted, and taking it would leave too few for the starts to come.
pub const LIFE_AHEAD_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);
/// How long after a session was refused for that it is numbered anew, again and again until the clock is right.
pub const RENEW_AFTER: Duration = Duration::from_secs(10);
/// How soon after its login a session may outbid one that claims to be newer: covers clocks that disagree.
pub const OUTBID_WINDOW: Duration = Duration::from_secs(2);
/// After a start: how long a node waits for its children before it declares its own directory complete.
pub const START_GRACE: Duration = Duration::from_secs(10);
/// Children of one node.
pub const CHILDREN_MAX: usize = 256;
/// Records that one child may register unless its topology says otherwise.
pub const CHILD_RECORDS_MAX: usize = 2_000_000;

/// A heartbeat datagram is sent this often on a link.
pub const HEARTBEAT: Duration = Duration::from_millis(500);
/// A link on which nothing arrived for this long is dead.
pub const LINK_DEAD_AFTER: Duration = Duration::from_secs(5);
/// Tombstones kept; the oldest go first. Covers 8,700 withdrawals a second.
pub const TOMBSTONES_MAX: usize = 1_048_576;
/// How long a dialler or acceptor waits for handshake and hello. Beyond it the connection is closed.
pub const HELLO_MAX: Duration = Duration::from_secs(5);
/// Bytes of a hello; today's has about 120, the rest is for newer versions. A larger one is a fault of the peer.
pub const HELLO_BYTES_MAX: usize = 4 * 1024;
/// Bytes of the text with which a link is refused or closed; fits the smallest QUIC packet. Longer texts are cut.
pub const REASON_BYTES_MAX: usize = 512;
/// Connections that may be in their handshake or hello at once: every child's two, and twice that again for strangers.
/// Beyond it new ones are refused at once, without any work.
pub const HANDSHAKES_MAX: usize = 3 * 2 * CHILDREN_MAX;
/// Bounds of the pause before a link is dialled again; doubled at each failure, and any part of it is drawn at random.
pub const REDIAL_MIN: Duration = Duration::from_millis(100);
/// See [`REDIAL_MIN`].
pub const REDIAL_MAX: Duration = Duration::from_secs(5);
/// Partitions that one terminal starts to follow by listing everything. What lies beyond is followed when it is listed
/// by name.
pub const WATCHED_MAX: usize = 1_000;
/// Moved terminals that one child has yet to let go of. Beyond it the child is asked for a snapshot instead.
pub const DISPLACED_MAX: usize = 65_536;
/// Packets that one transport-wide feedback may speak of: twice what the fastest sender has in flight. A longer one is
/// not read.
pub const FEEDBACK_STATUSES_MAX: u16 = 8_192;

/// Rooms of one media worker unless its configuration says otherwise. Beyond it a new room is refused as full.
pub const MEDIA_ROOMS_PER_WORKER_MAX: usize = 2_000;
/// Transports of one room: two for each member, and those of plain sources. Beyond it a new one is refused as full.
pub const MEDIA_TRANSPORTS_PER_ROOM_MAX: usize = 2 * ROOM_MEMBERS_MAX + 64;
/// Transports of one room at one media worker: fifty members who all hear and see each other are some 350,000 packets a
/// second, about what one core forwards. Further ones go to the node's other workers, if it has any.
pub const MEDIA_ROOM_TRANSPORTS_PER_WORKER: usize = 100;
/// Bytes that wait in the pipe from one media worker to another: a tenth of a second of what fifty cameras send. Beyond it
/// packets are dropped and counted, as on a way that is too narrow; the sender does not wait.
pub const MEDIA_PIPE_BYTES_MAX: usize = 1_024 * 1_024;
/// Transports of one media worker: more than its core can feed. Beyond it a new one is refused as full.
pub const MEDIA_TRANSPORTS_PER_WORKER_MAX: usize = 4_096;
/// Commands that wait for one media worker. Beyond it those that make or ask something are refused as full.
pub const MEDIA_COMMANDS_WAITING_MAX: usize = 16_384;
/// Addresses that lead to one transport: its peer's candidates that were checked. Beyond it the oldest is forgotten.
pub const MEDIA_ADDRESSES_PER_TRANSPORT_MAX: usize = 16;
/// ICE-TCP connections of one media worker. Beyond it new ones are closed at once.
pub const MEDIA_TCP_CONNECTIONS_MAX: usize = 4_096;
/// How long an ICE-TCP connection may go without a valid check. Then it is closed.
pub const MEDIA_TCP_UNCHECKED_MAX: Duration = Duration::from_secs(10);
/// ICE-TCP connections from one address (one /64 in IPv6) through which no valid check has come: a site behind one NAT that
/// enters a room at once. Beyond it new ones are closed at once.
pub const MEDIA_TCP_UNCHECKED_PER_ADDRESS_MAX: usize = 256;
/// Bytes queued towards all ICE-TCP connections of one media worker. Beyond it those that read too slowly are closed one by one.
pub const MEDIA_TCP_QUEUES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes queued towards one ICE-TCP connection: a second of good video. Beyond it the connection is closed.
pub const MEDIA_TCP_QUEUE_BYTES_MAX: usize = 512 * 1024;
/// Bytes of a datagram of ICE, DTLS or SRTP, over TCP too. Longer frames close their connection.
pub const MEDIA_DATAGRAM_BYTES_MAX: usize = 2_048;
/// Producers and consumers of data channels of one room. Beyond it a new one is refused as full.
pub const MEDIA_DATA_PER_ROOM_MAX: usize = 8_192;
/// Taps of one room: its recordings. Beyond it a tap ends at once.
pub const MEDIA_TAPS_PER_ROOM_MAX: usize = 64;
/// How often sockets for a plain transport are tried on ports that are taken. Then the transport is refused as full.
pub const MEDIA_PLAIN_PORT_TRIES: usize = 64;

/// Streams (SSRCs) that one transport sends and whose SRTP indices are kept: a room of a thousand has two for each member.
/// Beyond it the one that was silent for longest is forgotten.
pub const SRTP_SENT_STREAMS_MAX: usize = 4_096;
/// Streams (SSRCs) of which one transport has received authentic packets and whose replay windows are kept. Beyond it the
/// one that was silent for longest is forgotten.
pub const SRTP_RECEIVED_STREAMS_MAX: usize = 512;
/// Packets of one received stream that are missing and asked for: half a second of the fastest video. Beyond it those
/// before the newest key frame are given up, and if there are none, all of them for a new key frame.
pub const MISSING_PACKETS_MAX: usize = 512;
/// How long a missing packet is asked for; jitter buffers wait no longer. Then it is given up.
pub const MISSING_KEPT: Duration = Duration::from_secs(1);
/// Packets of one transport that wait for transport-wide feedback: a second of 40 Mbit/s. The oldest are forgotten.
pub const SENT_PACKETS_MAX: usize = 4_096;
/// Addresses of one transport's peer that valid checks came from: interfaces, NATs and relays of one terminal. Beyond it the
/// one that was silent for longest is left.
pub const ICE_ADDRESSES_MAX: usize = 8;
/// How long a room keeps what a stream has sent, for receivers that lost some of it. Older packets are not sent again.
pub const STORE_KEPT: Duration = Duration::from_secs(1);
/// Packets of one stream that are kept: a second at 2,000 packets/s. The oldest go first. A power of two.
pub const STORE_PACKETS_MAX: usize = 2_048;
/// Bytes of one stream that are kept: a second at 16 Mbit/s. The oldest go first. A power of two.
pub const STORE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Bytes of feedback that wait for one transport. Beyond it what is new is dropped; it is said again.
pub const FEEDBACK_WAITING_BYTES_MAX: usize = 16 * 1024;
/// Transports, producers and consumers of a node that `/metrics` tells of one by one. Those beyond it are counted and left out:
/// what reads metrics pays for each name and label.
pub const MEDIA_METRICS_MAX: usize = 2_000;
/// Packets that wait to be sent again to one consumer. Beyond it what is asked for is not sent; it is asked for again.
pub const RESEND_WAITING_MAX: usize = 256;
/// Bytes of a recording's id: a UUID and a prefix fit. Longer ids are refused.
pub const RECORDING_ID_BYTES_MAX: usize = 64;
/// Recordings under way at one node, each with a thread and a file. Beyond it a new one is refused as busy.
pub const RECORDINGS_MAX: usize = 64;
/// Recordings in one node's index: a hundred a day for three years. Beyond it a new one is refused until some are deleted.
pub const RECORDINGS_KEPT_MAX: usize = 100_000;
/// Tracks of one recording: a member's sound, camera and screen, each begun anew several times. Further ones are not
/// recorded.
pub const RECORDING_TRACKS_MAX: usize = 16;
/// Producers of one recording, one after the other: somebody who switches the camera on and off all day. Further ones are
/// not recorded.
pub const RECORDING_PRODUCERS_MAX: usize = 128;
/// Tracks of the recording of a whole room: fifty people with sound and camera. Matroska's shortest numbers end at 126.
/// Further ones are not recorded.
pub const ROOM_RECORDING_TRACKS_MAX: usize = 100;
/// Producers of the recording of a whole room, one after the other. Further ones are not recorded.
pub const ROOM_RECORDING_PRODUCERS_MAX: usize = 1_024;
/// Bytes of the name of one track: a person's, a terminal's and its camera's. Longer ones are cut.
pub const RECORDING_LABEL_BYTES_MAX: usize = 128;
/// How long a recording keeps the frames of a new track until its sender has said how its clock stands: senders report
/// sound every 5 s, the first time after half of that. Then they lie where they arrived.
pub const RECORDER_HOLD_MAX: Duration = Duration::from_secs(3);
/// Bytes of one track that are kept so: two seconds of a fast stream. Beyond it nothing is kept any longer.
pub const RECORDER_HOLD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Packets that wait for one recording's thread: four seconds of a fast stream. Beyond it packets are dropped and counted.
pub const RECORDER_QUEUE_MAX: usize = 4_096;
/// How long a recording waits for a missing packet: several retransmissions. Then it is lost.
pub const RECORDER_REORDER_MAX: Duration = Duration::from_millis(500);
/// Packets of one stream that a recording keeps back while it waits for a missing one. Beyond it that one is lost.
pub const RECORDER_REORDER_PACKETS_MAX: usize = 1_024;
/// Bytes of one frame of a recording: a key frame of 4K video has one or two million. Larger frames are left out.
pub const RECORDER_FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Answers to checks of one transport that wait to be sent. Beyond it checks are not answered; they are repeated.
pub const ICE_ANSWERS_MAX: usize = 16;
/// Datagrams of one transport's DTLS that are kept until signalling has told the peer's fingerprint: its first flight.
/// Beyond it they are dropped; the peer repeats them.
pub const DTLS_EARLY_DATAGRAMS_MAX: usize = 4;
/// Datagrams in which a DTLS handshake must be done: some 20, and each may be repeated a few times. Beyond it it has failed.
pub const DTLS_HANDSHAKE_DATAGRAMS_MAX: usize = 256;
/// Bytes of one message of a data channel, as clients are told. A longer one is not sent, and not taken.
pub const SCTP_MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Bytes that a peer may send before we have read: two of the longest messages. The peer waits.
pub const SCTP_RECEIVE_BYTES_MAX: usize = 2 * SCTP_MESSAGE_BYTES_MAX;
/// Bytes of messages to one peer that are not acknowledged. Beyond it messages are dropped, and whoever sends is told.
pub const SCTP_SEND_BYTES_MAX: usize = 4 * SCTP_MESSAGE_BYTES_MAX;
/// How long a terminal that has said its DTLS parameters may take until its first valid check: half a minute of trying
/// (RFC 8863, section 4: 39.5 s) and some. Beyond it the transport is closed, as one that nobody can reach. One whose terminal has
/// said nothing yet is kept for when it is used, but makes room after as long where there is none.
pub const ICE_FIRST_CHECK_MAX: Duration = Duration::from_secs(60);
/// How long plain RTP is sent to an address from which nothing comes: six reports of a receiver (RFC 3550, section 6.2: every
/// 5 s) may be lost. Beyond it nothing is sent until something comes again.
pub const PLAIN_SILENCE_MAX: Duration = Duration::from_secs(30);
/// Bytes of plain RTP that are sent to an address before anything has come from there: a receiver answers within seconds.
/// Beyond it nothing is sent until something comes.
pub const PLAIN_UNANSWERED_BYTES_MAX: u64 = 1 << 20;
/// How long the peer of a plain transport must have been silent before packets of another port of its address are taken for
/// its own: a camera that was restarted has another one. Sooner they are a stranger's, and dropped.
pub const PLAIN_MOVE_AFTER: Duration = Duration::from_secs(3);
/// How long a plain transport may wait for its first packet. Beyond it, it is closed and its port is free again.
pub const PLAIN_FIRST_PACKET_MAX: Duration = Duration::from_secs(60);
/// How long a DTLS handshake may take, from the first datagram on. Beyond it the transport is closed.
pub const DTLS_HANDSHAKE_MAX: Duration = Duration::from_secs(30);
/// Bytes of lines of the log that wait to be written while a disk or a reader is slow. Beyond it lines are dropped and counted.
pub const LOG_WAITING_BYTES_MAX: usize = 1024 * 1024;
/// The share of that for all lines but those of privileges that were used, which find room when others have filled theirs.
pub const LOG_WAITING_ORDINARY_BYTES_MAX: usize = LOG_WAITING_BYTES_MAX / 4 * 3;
/// Lines of one kind that one account, neighbour or address causes in [`LOG_LINES_SPAN`]: enough to see what is going on.
/// Those beyond are counted, and the count is written.
pub const LOG_LINES_MAX: u64 = 20;
pub const LOG_LINES_SPAN: Duration = Duration::from_secs(60);
/// Kinds of lines and their causes that are told apart at once. Those beyond share one count for each kind.
pub const LOG_SUBJECTS_MAX: usize = 1_024;
