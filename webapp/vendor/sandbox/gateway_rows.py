"""What the gateway answers by itself, in both its generations. Pure: a table."""

from __future__ import annotations

from webapp.vendor.sandbox.answers import gateway, older, signature_echo
from webapp.vendor.sandbox.scenario import Scenario, Section


def _refused(name: str, code: str, zh: str, en: str, retry: str = "never") -> Scenario:
    return Scenario(name, Section.GATEWAY, zh, en, gateway(code), "refused", "no", retry)


def _unknown(name: str, code: str, zh: str, en: str) -> Scenario:
    return Scenario(name, Section.GATEWAY, zh, en, gateway(code), "unknown", "unknown")


def _throttled(name: str, code: str, zh: str, en: str) -> Scenario:
    return _refused(name, code, f"请求过快：{zh}", f"throttled: {en}", "backoff")


def _old(name: str, message: str, zh: str, en: str, retry: str = "never") -> Scenario:
    return Scenario(name, Section.OLDER, zh, en, older(message), "refused", "no", retry)


def _old_unknown(name: str, message: str, zh: str, en: str) -> Scenario:
    return Scenario(name, Section.OLDER, zh, en, older(message), "unknown", "unknown")


def _old_throttled(name: str, by: str, zh: str) -> Scenario:
    message = f"Throttled by {by} Flow Control"
    return _old(name, message, f"请求过快：{zh}", f"throttled: {by.lower()}", "backoff")


GATEWAY: tuple[Scenario, ...] = (
    _refused("演练密钥无效", "A400AC", "AppCode 无效", "AppCode wrong"),
    _refused("演练密钥未通过", "A401AC", "AppCode 未通过验证", "AppCode wrong"),
    _refused("演练未订购", "I403AA", "未订购该接口", "not bought or not authorised"),
    _refused("演练授权过期", "A403EP", "授权已过期", "authorisation expired"),
    _refused("演练余量用尽", "B403MQ", "套餐次数已用完", "quota used up"),
    _refused("演练套餐过期", "B403ME", "套餐已过期", "packages expired"),
    _refused("演练订购无效", "B403MI", "订购无效", "subscription invalid"),
    _refused("演练服务商欠费", "B403MO", "服务商欠费", "seller overdue"),
    _refused("演练服务方账户欠费", "B403OD", "服务商账户欠费", "seller's account overdue"),
    _throttled("演练限流测试域名", "T429ID", "测试域名", "test domain"),
    _throttled("演练限流实例", "T429IN", "网关实例", "gateway instance"),
    _throttled("演练限流分组", "T429GR", "接口分组", "API group"),
    _throttled("演练限流接口", "T429PA", "接口", "API"),
    _throttled("演练限流插件", "T429PR", "流控插件", "throttling plug-in"),
    _throttled("演练限流服务", "T429SR", "网关服务", "gateway server"),
    _throttled("演练限流次数", "T429MR", "请求次数", "too many requests"),
    _refused("演练接口不存在", "I404NF", "接口地址错误", "path wrong"),
    _refused("演练域名错误", "I404DO", "接口域名错误", "domain wrong"),
    _refused("演练方法错误", "I405UM", "请求方法错误", "method wrong"),
    _refused("演练缺少参数", "I400MP", "缺少参数", "parameter missing"),
    _refused("演练请求头错误", "I400HD", "请求头错误", "bad header"),
    _refused("演练内容类型错误", "I400CT", "内容类型错误", "bad content type"),
    _refused("演练请求过大", "I413RL", "请求正文过大", "request body too large"),
    _refused("演练地址被拒", "A403IP", "访问被拒绝：来源地址", "denied by IP"),
    _refused("演练访问控制", "A403AC", "访问被拒绝：访问控制", "denied by access control"),
    _refused("演练接口停用", "B451DO", "接口已停用", "API blocked"),
    _refused("演练接口迁移", "I410GG", "接口已迁移", "API moved"),
    _refused("演练后端连不上", "D504CO", "服务商连接失败", "backend not reached", "once"),
    _refused("演练后端拒绝连接", "D504CS", "服务商拒绝连接", "backend refused to connect", "once"),
    _unknown("演练后端超时", "D504TO", "服务商超时", "backend timed out"),
    _unknown("演练后端读超时", "D504RE", "服务商读超时", "backend read timed out"),
    _unknown("演练网关超时", "X504TO", "网关处理超时", "gateway timed out"),
    _refused("演练后端熔断", "D503CB", "服务商熔断", "backend breaker open"),
    _refused("演练后端忙熔断", "D503BB", "服务商忙", "backend breaker busy"),
    _refused("演练网关繁忙", "X503BZ", "网关繁忙", "gateway busy", "once"),
    _unknown("演练网关内部错误", "X500ER", "网关内部错误", "gateway's internal error"),
    _unknown("演练后端响应异常", "D502FC", "服务商响应异常", "backend's response broken"),
    _unknown("演练网络响应异常", "N502RE", "网络响应异常", "response broken on the way"),
    _refused("演练未知输入码", "I400ZZ", "未公布的代码，输入类", "unpublished code, class input"),
    _refused("演练未知授权码", "A403ZZ", "未公布的代码，授权类", "unpublished code, class auth"),
    _refused("演练未知计费码", "B403ZZ", "未公布的代码，计费类", "unpublished code, class billing"),
    _throttled("演练未知限流码", "T429ZZ", "未公布的代码", "unpublished code"),
    _unknown("演练未知后端码", "D504ZZ", "未公布的代码，后端类", "unpublished code, class backend"),
    _unknown("演练未知网关码", "X500ZZ", "未公布的代码，网关类", "unpublished code, class gateway"),
    _unknown("演练未知网络码", "N502ZZ", "未公布的代码，网络类", "unpublished code, class network"),
)

OLDER: tuple[Scenario, ...] = (
    _old("旧网关密钥无效", "Invalid AppCode", "AppCode 无效", "AppCode wrong"),
    _old("旧网关未订购", "Unauthorized", "未订购该接口", "not bought or not authorised"),
    _old("旧网关授权过期", "Expiry of Authorization", "授权已过期", "authorisation expired"),
    _old("旧网关余量用尽", "Quota Exhausted", "套餐次数已用完", "quota used up"),
    _old("旧网关套餐过期", "Quota Expired", "套餐已过期", "packages expired"),
    _old("旧网关账号欠费", "User Arrears", "账号欠费", "buyer overdue"),
    _old_throttled("旧网关限流用户", "USER", "用户"),
    _old_throttled("旧网关限流应用", "APP", "应用"),
    _old_throttled("旧网关限流接口", "API", "接口"),
    _old_throttled("旧网关限流域名", "DOMAIN", "域名"),
    _old_throttled("旧网关限流分组", "GROUP", "分组"),
    _old("旧网关地址错误", "Invalid Url", "接口地址错误", "path wrong"),
    _old("旧网关域名错误", "Invalid Domain", "接口域名错误", "domain wrong"),
    _old("旧网关方法错误", "Invalid HttpMethod", "请求方法错误", "method wrong"),
    _old(
        "旧网关后端连不上",
        "Failed To Invoke Backend Service",
        "服务商连接失败",
        "backend not reached",
        "once",
    ),
    _old_unknown("旧网关后端超时", "Async Service", "服务商超时", "backend timed out"),
    _old("旧网关服务不可用", "Service Unavailable", "服务商暂不可用", "backend breaker open"),
    _old_unknown("旧网关内部错误", "Internal Error", "网关内部错误", "gateway's internal error"),
    Scenario(
        "旧网关签名回显",
        Section.OLDER,
        "签名错误，附言回显所签内容",
        "signature error whose message quotes the person",
        signature_echo,
        "refused",
        "no",
    ),
)
