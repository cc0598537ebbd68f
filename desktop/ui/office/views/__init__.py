"""Views of a module's records, each drawn from the definition alone. Made by kind: `create_view(context, view)`.

Views know nothing of the form and the detail pane (../record) nor of what stands around them (../frame): both stand on this package.
"""
