"""Which families stand for the official faces: what the machine has, in this order; the last ones are the open fallback."""

from typing import Final

OFFICIAL: Final[dict[str, tuple[str, ...]]] = {
    "title": (
        "FZXiaoBiaoSong-B05S",
        "FZXiaoBiaoSong-B05",
        "方正小标宋简体",
        "方正小标宋_GBK",
        "FZXBSJW--GB1-0",
        "STZhongsong",
        "华文中宋",
    ),
    "body": ("FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋", "STFangsong", "华文仿宋", "FZFangSong-Z02S"),
    "kai": ("KaiTi_GB2312", "楷体_GB2312", "KaiTi", "楷体", "STKaiti", "华文楷体", "FZKai-Z03S"),
    "hei": ("SimHei", "黑体", "STHeiti", "FZHei-B01S"),
    "digits": ("SimSun", "宋体", "STSong", "华文宋体", "FZShuSong-Z01S"),
}
"""Role → the faces the standard asks for (小标宋, 仿宋, 楷体, 黑体, 宋体) under the names foundries and systems give them."""

FALLBACK: Final[dict[str, tuple[str, ...]]] = {
    "title": ("Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", "Noto Sans CJK SC"),
    "body": ("Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", "Noto Sans CJK SC"),
    "kai": ("LXGW WenKai", "AR PL UKai CN", "AR PL KaitiM GB", "Noto Serif CJK SC", "Source Han Serif SC"),
    "hei": ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "WenQuanYi Zen Hei"),
    "digits": ("Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", "Noto Sans CJK SC"),
}
"""Free faces that are there when the official ones are not; a title in them is bold, as 小标宋 is."""

REST: Final = ("Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Serif SC", "SimSun", "Droid Sans Fallback")
"""For characters the chosen face lacks."""
