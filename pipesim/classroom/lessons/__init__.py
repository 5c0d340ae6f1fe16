"""The exercises of each lesson, one module a lesson: ``l10.py`` holds ``10-1``, ``10-2`` …"""
