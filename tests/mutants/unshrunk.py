"""For mutants a failing example is enough: nobody reads the smallest one, and looking for it takes minutes."""

from hypothesis import Phase, settings

settings.register_profile("unshrunk", phases=(Phase.explicit, Phase.generate), deadline=None)
settings.load_profile("unshrunk")
