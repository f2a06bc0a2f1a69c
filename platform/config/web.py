"""What the web server calls: Django behind the intake."""

import sys

from django.conf import settings

from config.intake import Intake
from config.wsgi import application as django
from lineage import warming

# what computes long holds the interpreter this long (seconds) before it lets others in
sys.setswitchinterval(0.0005)

application = Intake(django, settings.WEB_THREADS)
warming.begin()
