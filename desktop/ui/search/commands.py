"""What the search can lead to beside hits: pages, settings, modules, new records. Named in the user's language, found by words, pinyin and initials."""

from collections.abc import Iterator

from desktop.core.domain import ModuleDefinition
from desktop.core.domain.search import marked, query_words
from desktop.models.search import Command
from desktop.models.search_verbs import SearchSession
from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.search.result_rows import module_icon

MOST = 6
PAGES = {
    "messages": "chat-circle-dots",
    "contacts": "users",
    "workbench": "squares-four",
    "transfers": "arrows-down-up",
    "settings": "gear",
}
SETTINGS = ("general", "notifications", "appearance", "shortcuts", "files", "network", "security", "about")
_CREATE = "create"


async def find_commands(session: SearchSession, text: str) -> list[Command]:
    """The commands that fit, the best first."""
    everything = list(_everything(session, await session.records.modules()))
    names = [name for _, name, _, _ in everything]
    ranks = await session.search.rank_names(names, text)
    words = query_words(text)
    fitting = [(rank, place) for place, rank in enumerate(ranks) if rank is not None]
    found = (everything[place] for _, place in sorted(fitting)[:MOST])
    return [Command(key, marked(name, words), tr(detail), icon) for key, name, detail, icon in found]


def _everything(session: SearchSession, modules: list[ModuleDefinition]) -> Iterator[tuple[str, str, str, str]]:
    """(key, name, key of the second line, icon)."""
    language = i18n.language()
    for page, icon in PAGES.items():
        yield f"page:{page}", tr(f"shell.{page}"), "search.command.page", icon
    for module in modules:
        icon = module_icon(module.icon, "squares-four")
        yield f"module:{module.id}", module.label.text(language), "search.command.module", icon
        for type_ in module.types:
            if session.records.may(None, type_.name, _CREATE):
                name = tr("search.new", name=type_.label.text(language))
                yield f"new:{type_.name}", name, "search.command.new", "plus"
    for section in SETTINGS:
        yield f"settings:{section}", tr(f"settings.section.{section}"), "search.command.settings", "gear"
