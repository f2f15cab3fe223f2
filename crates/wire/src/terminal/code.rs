//! The status codes of the terminal protocol, their texts and their HTTP statuses (reference section 2.4).

/// A status code. Terminals compare the four characters, people read the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    Success,
    UnknownInterface,
    StillBusy,
    BadFormat,
    BadSignature,
    ServerFault,
    Timeout,
    BadRequest,
    Unauthorised,
    Refused,
    Gone,
    BadMethod,
    NotAcceptable,
    Unsupported,
    SystemFault,
    Unreachable,
    Overloaded,
    UpstreamTimeout,
    Unknown,
}

impl Code {
    pub const ALL: [Code; 19] = [
        Code::Success,
        Code::UnknownInterface,
        Code::StillBusy,
        Code::BadFormat,
        Code::BadSignature,
        Code::ServerFault,
        Code::Timeout,
        Code::BadRequest,
        Code::Unauthorised,
        Code::Refused,
        Code::Gone,
        Code::BadMethod,
        Code::NotAcceptable,
        Code::Unsupported,
        Code::SystemFault,
        Code::Unreachable,
        Code::Overloaded,
        Code::UpstreamTimeout,
        Code::Unknown,
    ];

    /// The four characters on the wire.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The text that goes with the code where no better one is known.
    pub const fn text(self) -> &'static str {
        self.row().2
    }

    /// The status of a REST answer with this code.
    pub const fn http_status(self) -> u16 {
        self.row().1
    }

    /// The code of four characters; [`Code::Unknown`] for any other text, as terminals treat them alike.
    pub fn of(text: &str) -> Code {
        Code::ALL.into_iter().find(|code| code.as_str() == text).unwrap_or(Code::Unknown)
    }

    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Code::Success => ("0000", 200, "成功"),
            Code::UnknownInterface => ("1000", 404, "未知接口"),
            Code::StillBusy => ("1001", 400, "上次请求没有完成"),
            Code::BadFormat => ("1002", 400, "数据格式错误"),
            Code::BadSignature => ("1003", 400, "验签失败"),
            Code::ServerFault => ("2000", 500, "服务错误"),
            Code::Timeout => ("2001", 504, "服务超时"),
            Code::BadRequest => ("3400", 400, "请求错误"),
            Code::Unauthorised => ("3401", 401, "没有授权"),
            Code::Refused => ("3403", 403, "请求拒绝"),
            Code::Gone => ("3404", 404, "资源失效"),
            Code::BadMethod => ("3405", 405, "请求方法错误"),
            Code::NotAcceptable => ("3406", 406, "请求不可接受"),
            Code::Unsupported => ("3415", 415, "请求资源类型错误"),
            Code::SystemFault => ("3500", 500, "系统异常"),
            Code::Unreachable => ("3502", 502, "服务无效"),
            Code::Overloaded => ("3503", 503, "服务正在维护"),
            Code::UpstreamTimeout => ("3504", 504, "服务超时"),
            Code::Unknown => ("9999", 500, "未知错误"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_own_text_and_others_are_unknown() {
        for code in Code::ALL {
            assert_eq!(Code::of(code.as_str()), code);
        }
        assert_eq!(Code::of("7777"), Code::Unknown);
        assert_eq!(Code::of("0"), Code::Unknown);
    }
}
