from .object_library import Function

complexconjugate = Function(name="complexconjugate", arguments=("z",), expression="z.conjugate()")

halved = Function(name="halved", arguments=("z",), expression="z/2")
