//! A room of two members and what they do with media, for the tests of `media::*`.

use serde_json::{Value, json};

use crate::world::{Line, World, signals};

/// Two members of a room at the first node, `a` its owner; they can receive, and have said nothing of media yet.
pub(crate) struct Call {
    pub(crate) world: World,
    pub(crate) a: Line,
    pub(crate) b: Line,
    /// What each is called by the other.
    pub(crate) a_seen: &'static str,
    pub(crate) b_seen: &'static str,
    pub(crate) room: String,
    last_id: i64,
}

impl Call {
    pub(crate) fn new(across: bool) -> Self {
        Self::with(across, json!({}))
    }

    /// `b` enters with these words besides.
    pub(crate) fn with(across: bool, words: Value) -> Self {
        let mut world = World::with_sfus(&["cn", "cn/east"]);
        let (a, b) = (world.register(0, "a"), world.register(usize::from(across), "b"));
        world.hush();
        world.send(a, 10, "room::create", json!({"name": "n"}));
        let room = world.hear_one(a)["body"]["roomId"].as_str().unwrap().to_owned();
        let (a_seen, b_seen) = if across { ("a@cn", "b@east.cn") } else { ("a", "b") };
        let mut call = Self { world, a, b, a_seen, b_seen, room, last_id: 100 };
        call.enter(a, json!({}));
        call.enter(b, words);
        call.world.hush();
        call
    }

    pub(crate) fn enter(&mut self, line: Line, mut words: Value) {
        words["rtpCapabilities"] = json!({"codecs": [], "headerExtensions": []});
        self.say(line, "room::enter", words);
        assert_eq!(signals(&self.world.hear(line)), ["room::enter", "room::client::list"]);
    }

    /// Says it with the room's id; returns the message's id.
    pub(crate) fn say(&mut self, line: Line, signal: &str, mut body: Value) -> i64 {
        body["roomId"] = json!(self.room);
        self.last_id += 1;
        self.world.send(line, self.last_id, signal, body);
        self.last_id
    }

    /// The answer's body, which is the only thing heard.
    pub(crate) fn ask(&mut self, line: Line, signal: &str, body: Value) -> Value {
        let id = self.say(line, signal, body);
        let heard = self.world.hear_one(line);
        assert_eq!((&heard["header"]["id"], &heard["code"]), (&json!(id), &json!("0000")), "{heard}");
        heard["body"].clone()
    }

    pub(crate) fn transport(&mut self, line: Line, consuming: bool) -> String {
        let created = self.ask(
            line,
            "media::transport::webrtc::create",
            json!({"producing": !consuming, "consuming": consuming}),
        );
        created["transportId"].as_str().unwrap().to_owned()
    }

    pub(crate) fn produce(&mut self, line: Line, transport: &str, kind: &str) -> String {
        let produced = self.ask(line, "media::produce", sound(transport, kind));
        produced["producerId"].as_str().unwrap().to_owned()
    }

    /// `a` sends a sound that `b` has been told of: the producer, the push to `b`.
    pub(crate) fn heard(across: bool) -> (Self, String, Value) {
        let mut call = Self::new(across);
        let (a, b) = (call.a, call.b);
        call.transport(b, true);
        let transport = call.transport(a, false);
        let producer = call.produce(a, &transport, "audio");
        let push = call.world.hear_one(b);
        assert_eq!(push["header"]["signal"], "media::consume", "{push}");
        (call, producer, push)
    }

    /// The same, and `b` is ready: the producer, the consumer.
    pub(crate) fn running(across: bool) -> (Self, String, String) {
        let (mut call, producer, push) = Self::heard(across);
        call.echo(&push);
        call.world.hush();
        (call, producer, push["body"]["consumerId"].as_str().unwrap().to_owned())
    }

    /// `b` sends the push back, word for word (quirk Q8).
    pub(crate) fn echo(&mut self, push: &Value) {
        self.world.say(self.b, &push.to_string());
    }

    pub(crate) fn running_consumers(&self) -> usize {
        let rooms = self.world.sfus.iter().filter_map(|sfu| sfu.room(&self.room));
        rooms.flat_map(|room| room.consumers.values()).filter(|consumer| !consumer.is_paused).count()
    }

    pub(crate) fn is_empty_at_sfu(&self) -> bool {
        let room = self.world.sfus[0].room(&self.room).unwrap();
        room.transports.is_empty() && room.producers.is_empty() && room.consumers.is_empty()
    }
}

pub(crate) fn sound(transport: &str, kind: &str) -> Value {
    json!({"transportId": transport, "kind": kind, "rtpParameters": {"codecs": []}})
}
