//! What the SFU noticed of itself, and who is told (reference sections 4.4, 5.9 and 6.5).

use taoyao_ortc::{Act, Happening, RecordEnd, Refused, RoomName};
use taoyao_types::{Now, TerminalName, limits};
use taoyao_wire::link::{MediaNews, RoomEvent};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::media;

use crate::room::hosted::{Room, Said};
use crate::terminals::Terminals;

impl Terminals {
    pub(super) fn media_happened(&mut self, now: Now, id: &RoomName, what: Happening) {
        if what == Happening::RoomLost {
            return self.media_lost(now, id);
        }
        let Some(room) = self.rooms.get_mut(id) else { return };
        let (key, said) = (room.key, room.happened(what));
        self.publish_news(now, key, said);
    }

    /// The room stays, and is opened anew at the SFU. Its members are told to enter again, with a pass where it has a
    /// password.
    fn media_lost(&mut self, now: Now, id: &RoomName) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        let Some(studio) = &mut room.studio else { return };
        tracing::warn!(room = %id, "the room's media is lost");
        let works = studio.works.end_all();
        studio.clear();
        let members: Vec<TerminalName> = room.names().cloned().collect();
        let (key, has_password) = (room.key, room.password.is_some());
        let mut said = room.stop_recordings(RecordEnd::MediaLost);
        said.extend(room.freed());
        said.push(room.order(Act::OpenRoom));
        self.fail_works(works, &Refused::WorkerLost);
        for member in members {
            let pass = has_password.then(|| self.pass(now, id, &member));
            if let Some(room) = self.rooms.get_mut(id) {
                said.extend(room.tell_media(&member, MediaNews::Lost { pass }));
            }
        }
        self.publish_news(now, key, said);
    }
}

impl Room {
    /// Scores, layers and the like are told to all members (quirk Q22), and are worth nothing later.
    fn happened(&mut self, what: Happening) -> Vec<Said> {
        let Some(studio) = &self.studio else { return Vec::new() };
        let room = &self.id;
        let (signal, body) = match what {
            Happening::TransportClosed { transport } => return self.transport_gone(transport),
            Happening::ProducerScore { producer, scores } if studio.producer(producer).is_some() => {
                (Signal::MediaProducerScore, media::score_of_producer(room, &producer, &scores))
            }
            Happening::ConsumerScore { consumer, score, producer_score, producer_scores }
                if studio.consumer(consumer).is_some() =>
            {
                let body = media::score_of_consumer(room, &consumer, score, producer_score, &producer_scores);
                (Signal::MediaConsumerScore, body)
            }
            Happening::LayersChanged { consumer, layers } if studio.consumer(consumer).is_some() => {
                (Signal::MediaConsumerLayersChange, media::layers_changed(room, &consumer, layers))
            }
            Happening::OrientationChanged { producer, camera, flip, rotation }
                if studio.producer(producer).is_some() =>
            {
                let body = media::orientation_changed(room, &producer, camera, flip, rotation);
                (Signal::MediaVideoOrientationChange, body)
            }
            Happening::Volumes { volumes } => {
                let name = |(id, volume)| Some((studio.producer(id)?.owner.clone(), volume));
                let mut volumes: Vec<(TerminalName, i8)> = volumes.into_iter().filter_map(name).collect();
                volumes.sort_by_key(|(_, volume)| std::cmp::Reverse(*volume));
                volumes.truncate(limits::ROOM_VOLUMES_MAX);
                let news = Box::new(MediaNews::Volumes(volumes));
                return self.mention(&RoomEvent::Media { to: None, news });
            }
            // The protocol has no signal for who has the floor; the volumes say it. And what is closed has no score.
            _ => return Vec::new(),
        };
        let news = Box::new(MediaNews::Push { signal: signal.name().to_owned(), body });
        self.mention(&RoomEvent::Media { to: None, news })
    }
}
