//! Members that never say that they are ready to receive, say it too often, or in another's place.

use serde_json::json;

use crate::call::Call;
use crate::world::signals;

#[test]
fn who_is_never_ready_keeps_nobody_waiting() {
    for across in [false, true] {
        let (mut call, producer, _unanswered) = Call::heard(across);
        let c = call.world.register(0, "c");
        call.world.hush();
        call.enter(c, json!({}));
        call.world.hush();
        call.say(c, "media::transport::webrtc::create", json!({"consuming": true}));
        let heard = call.world.hear(c);
        assert_eq!(signals(&heard), ["media::transport::webrtc::create", "media::consume"]);
        call.world.say(c, &heard[1].to_string());
        assert_eq!(signals(&call.world.hear(c)), ["media::consumer::resume"]);
        assert_eq!(call.running_consumers(), 1, "across: {across}");
        let a = call.a;
        call.say(a, "media::producer::close", json!({"producerId": producer}));
        for line in [c, call.b] {
            assert_eq!(signals(&call.world.hear(line)), ["media::consumer::close"], "across: {across}");
        }
    }
}

#[test]
fn nobody_is_ready_in_anothers_place() {
    let (mut call, _, push) = Call::heard(false);
    let c = call.world.register(0, "c");
    call.world.hush();
    call.enter(c, json!({}));
    call.world.hush();
    call.world.say(c, &push.to_string());
    call.world.hush();
    assert_eq!(call.running_consumers(), 0);
    call.echo(&push);
    assert_eq!(call.running_consumers(), 1);
}

#[test]
fn being_ready_again_and_again_is_told_once() {
    let (mut call, _, push) = Call::heard(false);
    for _ in 0..50 {
        call.echo(&push);
    }
    let b = call.b;
    assert_eq!(signals(&call.world.hear(b)), ["media::consumer::resume"]);
    assert_eq!(call.running_consumers(), 1);
}
