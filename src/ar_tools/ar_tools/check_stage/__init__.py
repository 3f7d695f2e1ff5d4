"""``tsukumo check-stage``: does a node keep the topic contract of the stage whose place it takes?"""
