"""Pure: mail hosts that many companies use, as their own help pages give them. Each needs TLS and the full address
as user name; where the host knows client passwords (授权码), that one and not the one for the web page."""

from __future__ import annotations

from typing import NamedTuple

from webapp.foundation.smtp_url import Security


class Preset(NamedTuple):
    """A mail host: what fills the form."""

    key: str
    name: str
    host: str
    port: int
    security: Security = Security.TLS


PRESETS: tuple[Preset, ...] = (
    Preset("tencent", "腾讯企业邮 Tencent Exmail", "smtp.exmail.qq.com", 465),
    Preset("alibaba", "阿里企业邮箱 Alibaba Mail", "smtp.qiye.aliyun.com", 465),
    Preset("netease", "网易企业邮 NetEase Mail", "smtp.qiye.163.com", 994),
)


def preset(key: str | None) -> Preset | None:
    """The preset called `key`."""
    return next((one for one in PRESETS if one.key == key), None)
