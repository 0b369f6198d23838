"""What comes from behind the gateway: the manual's codes, answers that are none, the backend's own errors.

Pure: a table.
"""

from __future__ import annotations

from webapp.vendor.sandbox import answers
from webapp.vendor.sandbox.answers import JSON_TYPE, RESP_MESSAGES, Recipe, raw, respond
from webapp.vendor.sandbox.scenario import Scenario, Section

_HTML = "text/html; charset=UTF-8"
_HTML_ERROR = "<html><body><h1>系统错误</h1></body></html>".encode()


def _code(name: str, code: str, en: str, outcome: str) -> Scenario:
    zh = RESP_MESSAGES[code]
    return Scenario(name, Section.CODES, zh, en, respond(code), outcome, "yes", charged=True)


def _odd(name: str, answer: Recipe, zh: str, en: str, outcome: str = "unexpected") -> Scenario:
    return Scenario(name, Section.ODD, zh, en, answer, outcome, "yes", charged=True)


def _error(name: str, answer: Recipe, zh: str, en: str) -> Scenario:
    return Scenario(name, Section.BACKEND, zh, en, answer, "unexpected", "no")


CODES: tuple[Scenario, ...] = (
    _code("演练信息匹配", "0000", "name and number match", "match"),
    _code("演练开户名为空", "0001", "the name is empty", "invalid_input"),
    _code("演练特殊字符", "0002", "special characters in the name", "invalid_input"),
    _code("演练号码为空", "0003", "the number is empty", "invalid_input"),
    _code("演练号码格式错误", "0004", "the number's format is wrong", "invalid_input"),
    _code("演练无此号码", "0007", "no such number", "no_such_number"),
    _code("演练信息不匹配", "0008", "name and number do not match", "mismatch"),
    _code("演练系统维护", "0010", "vendor's maintenance", "maintenance"),
)

ODD: tuple[Scenario, ...] = (
    _odd(
        "演练成功附言",
        answers.respond_with_ok,
        "匹配，且带成功附言头",
        "a match with X-Ca-Error-Message: OK",
        "match",
    ),
    _odd("演练纯文本答复", answers.respond_as_text, "匹配，内容类型为纯文本", "a match as text/plain", "match"),
    _odd(
        "演练缺少参考信息",
        answers.respond_without_derived,
        "匹配，无参考信息",
        "a match and nothing else",
        "match",
    ),
    _odd("演练未知编码五", respond("0005"), "手册没有的编码 0005", "respCode 0005, not in the manual"),
    _odd("演练未知编码六", respond("0006"), "手册没有的编码 0006", "respCode 0006, not in the manual"),
    _odd("演练未知编码九", respond("0009"), "手册没有的编码 0009", "respCode 0009, not in the manual"),
    _odd("演练缺少编码", answers.respond_without_code, "没有编码", "no respCode"),
    _odd("演练编码为空值", answers.respond_with_code(None), "编码为空值", "respCode is null"),
    _odd("演练编码为数字", answers.respond_with_code(0), "编码是数字而非文字", "respCode is a number"),
    _odd("演练数组答复", raw(200, b"[]", JSON_TYPE, code="(array)"), "答复是数组", "an array, no object"),
    _odd("演练空白答复", raw(200, b"", JSON_TYPE, code="(empty)"), "正文为空", "HTTP 200 and an empty body"),
    _odd("演练网页答复", raw(200, _HTML_ERROR, _HTML, code="(HTML)"), "答复是网页", "HTML, no JSON"),
    _odd("演练乱码答复", answers.respond_in_gbk, "以其他字符集编码", "JSON in GBK that claims UTF-8"),
    _odd("演练半截答复", answers.respond_cut_short, "长度相符，内容只有一半", "half a JSON, its length agrees"),
    _odd("演练超大答复", answers.respond_huge, "正文一兆字节", "a body of 1 MiB"),
    _odd("演练压缩膨胀", answers.respond_inflating, "压缩正文，展开四兆字节", "gzip that inflates to 4 MiB"),
)

BACKEND: tuple[Scenario, ...] = (
    _error("演练后端报错", raw(500, _HTML_ERROR, _HTML), "服务商返回 500", "backend's own 500"),
    _error("演练后端网关错误", raw(502, b"", _HTML), "服务商返回 502", "backend's own 502"),
    _error("演练后端不可用", raw(503, b"", _HTML), "服务商返回 503", "backend's own 503"),
    _error("演练后端拒绝", raw(403, b"", _HTML), "服务商返回 403", "backend's own 403"),
    _error("演练后端不存在", raw(404, _HTML_ERROR, _HTML), "服务商返回 404", "backend's own 404"),
    _error(
        "演练后端空附言",
        raw(500, b"", _HTML, ("X-Ca-Error-Message", "")),
        "500，附言头为空",
        "500, message empty",
    ),
    _error(
        "演练后端成功附言",
        raw(500, b"", _HTML, ("X-Ca-Error-Message", "OK")),
        "500，却带成功附言头",
        "500 with X-Ca-Error-Message: OK",
    ),
    _error("演练后端报错带结果", answers.failed_with_result, "500，正文却说匹配", "500 whose body claims a match"),
    _error(
        "演练重定向",
        raw(302, b"", _HTML, ("Location", "/idenAuthentication")),
        "返回 302，不可跟随",
        "302: not to be followed",
    ),
)
