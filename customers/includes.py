"""What hangs on a customer and comes along with it, by the name that `include=` and the answer have for it.

Each relation is declared by the serializer of its rows: `Meta.model`, `Meta.order`, and `Meta.newest`, how many
come along. Apps that stand on this one add their own when they are ready.
"""

from customers.serializers.compliance import ComplianceSerializer

INCLUDES = {"ksaCompliance": ComplianceSerializer}
