"""What goes on with a customer, in the back office: each kind beneath its customer, and on pages of its own."""

from config.backoffice.admin import HubInline
from customers.models import Interaction
from customers.serializers.activity import InteractionInput
from customers.services import activity as services


class Interactions(HubInline):
    model, serializer_class, order = Interaction, InteractionInput, "-date"
    columns = ("date", "type", "direction", "notes", "agent_name")
    add = staticmethod(services.add_interaction)


ACTIVITY = (Interactions,)
