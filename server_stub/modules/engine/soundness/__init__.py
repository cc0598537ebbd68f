"""Whether definitions make sense: everything that must fit together inside a module and between modules, beyond the shape of each table."""

from server_stub.modules.engine.soundness.modules import cross_problems, module_problems

__all__ = ["cross_problems", "module_problems"]
