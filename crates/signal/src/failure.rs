//! How the mesh's failures and policy's denials read to a terminal: the nearest code, and a sentence.

use std::time::Duration;

use taoyao_auth::Denied;
use taoyao_wire::bodies::Unreadable;
use taoyao_wire::link::Failure;
use taoyao_wire::terminal::{Code, Reject, UnknownClientType};

/// What a `platform::error` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) code: Code,
    pub(crate) text: String,
    /// When it makes sense to try again, if that is known.
    pub(crate) retry_after: Option<Duration>,
}

impl Failed {
    pub(crate) fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), retry_after: None }
    }

    pub(crate) fn busy(why: impl std::fmt::Display) -> Self {
        Self::new(Code::Overloaded, format!("{}：{why}", Code::Overloaded.text()))
    }

    /// Nobody has looked: the same request may succeed after this time.
    pub(crate) fn not_looked_at(retry_after: Duration) -> Self {
        let seconds = retry_after.as_millis().div_ceil(1_000);
        let failed = Self::busy(format_args!("logins wait or are locked here; try again in {seconds} s"));
        Self { retry_after: Some(retry_after), ..failed }
    }

    pub(crate) fn unauthorised() -> Self {
        Self::new(Code::Unauthorised, "终端没有授权")
    }

    pub(crate) fn no_callee() -> Self {
        Self::new(Code::Gone, "邀请对象无效")
    }

    pub(crate) fn no_session(session: &str) -> Self {
        Self::new(Code::Unknown, format!("无效会话：{session}"))
    }

    pub(crate) fn no_part_in_session(client: &str) -> Self {
        Self::new(Code::Unknown, format!("终端没有会话权限：{client}"))
    }

    /// A failure of the mesh; `absent` is what the signal says when there is no such terminal.
    pub(crate) fn of(failure: &Failure, absent: Failed) -> Self {
        let told = |code: Code| Self::new(code, format!("{}：{failure}", code.text()));
        match failure {
            Failure::NoSuchTerminal => absent,
            Failure::Unreachable { .. } | Failure::Interrupted { .. } => told(Code::Unreachable),
            Failure::Denied { .. } => told(Code::Refused),
            Failure::Deadline => Self::new(Code::Timeout, "终端没有响应"),
            Failure::Busy { .. } => told(Code::Overloaded),
            Failure::Refused { code, text } => Self::new(Code::of(code), text.clone()),
        }
    }

    /// The same, told to another node.
    pub(crate) fn into_failure(self) -> Failure {
        Failure::Refused { code: self.code.as_str().to_owned(), text: self.text }
    }
}

/// What is there and unreadable is refused: as absent it could widen what was asked for.
impl From<Unreadable> for Failed {
    fn from(unreadable: Unreadable) -> Self {
        Self::new(Code::BadRequest, format!("{}：{unreadable}", Code::BadRequest.text()))
    }
}

impl From<Denied> for Failed {
    fn from(denied: Denied) -> Self {
        Self::new(Code::Refused, format!("{}：{denied}", Code::Refused.text()))
    }
}

impl From<Reject> for Failed {
    fn from(reject: Reject) -> Self {
        Self::new(reject.code, reject.text)
    }
}

impl From<UnknownClientType> for Failed {
    fn from(unknown: UnknownClientType) -> Self {
        Self::new(Code::Unknown, unknown.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_the_mesh_has_its_code_and_sentence() {
        let node = || "cn/east".parse().unwrap();
        for (failure, code, text) in [
            (Failure::NoSuchTerminal, "3404", "邀请对象无效"),
            (
                Failure::Unreachable { node: node(), reason: "link down".into() },
                "3502",
                "服务无效：unreachable at cn/east: link down",
            ),
            (
                Failure::Interrupted { node: node(), reason: "link lost".into() },
                "3502",
                "服务无效：interrupted at cn/east: link lost",
            ),
            (Failure::Denied { rule: "r1".into() }, "3403", "请求拒绝：denied by rule r1"),
            (Failure::Deadline, "2001", "终端没有响应"),
            (Failure::Busy { node: node() }, "3503", "服务正在维护：busy at cn/east"),
            (Failure::Refused { code: "9999".into(), text: "无效会话：x".into() }, "9999", "无效会话：x"),
        ] {
            let failed = Failed::of(&failure, Failed::no_callee());
            assert_eq!((failed.code.as_str(), failed.text.as_str()), (code, text));
        }
    }
}
